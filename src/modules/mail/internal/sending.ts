import { eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { type Clock, instant } from '../../../shared/kernel/context/index.ts';
import { prepared } from '../../../shared/kernel/database/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { type Saga, step } from '../../../shared/kernel/saga/index.ts';
import { mail } from '../contract.ts';
import { putIntoMailbox } from './server/development-mailbox.ts';
import type { MailServer } from './server/mail-server.ts';
import { type MailStatus, tables } from './tables.ts';

const data = z.object({
  messageId: z.string(),
  memberId: z.string(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
});

/** Time limit of a delivery. Thousands of mails may wait for a few connections. Shorter SMTP timeouts handle a silent server. */
const deliveryMs = 30 * 60_000;

export type MailSending = z.infer<typeof data>;

/** Retries until the server accepts the mail, or refuses it for good. Without a server the mail goes to the mailbox table. */
export function sending(server: MailServer | undefined, clock: Clock): Saga<MailSending, ModuleUnit> {
  const next = (name: string) => step<MailSending, ModuleUnit>(name);
  const handOver = server
    ? next('hand to the server').run((message) => server.deliver(message), deliveryMs)
    : next('put into the mailbox').write((unit, message) => putIntoMailbox(unit, message, instant(clock)));
  return {
    name: 'sending',
    version: 1,
    data,
    deadlineMs: 3 * 24 * 60 * 60_000,
    steps: [
      handOver,
      next('mark as sent').write(async (unit, { messageId, memberId, subject }) => {
        await mark(unit, messageId, 'sent', instant(clock));
        await unit.publish(mail.events.sent, { messageId, memberId, subject });
      }),
    ],
    async compensated(unit, { messageId, memberId, subject }, reason) {
      await mark(unit, messageId, 'bounced', instant(clock));
      await unit.publish(mail.events.bounced, { messageId, memberId, subject, reason });
    },
  };
}

const { placeholder } = sql;

const marking = prepared((unit) => {
  const { mails } = tables(unit);
  return unit.db
    .update(mails)
    .set({ status: sql`${placeholder('status')}`, at: sql`${placeholder('at')}` })
    .where(eq(mails.messageId, placeholder('messageId')))
    .prepare();
});

async function mark(unit: ModuleUnit, messageId: string, status: MailStatus, at: string): Promise<void> {
  await marking(unit).execute({ messageId, status, at });
}
