import { instant } from 'kerf/context';
import { handle, type ModuleUnit } from 'kerf/module';
import { type Saga, step } from 'kerf/saga';
import { mail } from '../contract.ts';
import type { Mail, MailServer } from './smtp.ts';
import { addMail, mailById, markMail, putIntoMailbox } from './store.ts';

/** Time limit of a delivery. Thousands of mails may wait for a few connections. Shorter SMTP timeouts handle a silent server. */
const deliveryMs = 30 * 60_000;

/** Retries until the server accepts the mail, or refuses it for good. Without a server the mail goes to the mailbox table. */
export function sending(server: MailServer | undefined): Saga<Mail, ModuleUnit> {
  const next = step<Mail, ModuleUnit>;
  const handOver = server
    ? next('hand to the server').run((message) => server.deliver(message), deliveryMs)
    : // The unit that marks the mail as sent writes it to the mailbox, so that it is there once.
      next('put into the mailbox').write((unit, { messageId, to, subject, text }) =>
        putIntoMailbox(unit, { messageId, recipient: to, subject, text, at: instant(unit.clock) }),
      );
  return {
    name: 'sending',
    version: 1,
    data: mail.operations.send.input,
    deadlineMs: 3 * 24 * 60 * 60_000,
    steps: [
      handOver,
      next('mark as sent').write(async (unit, { messageId, memberId, subject }) => {
        await markMail(unit, messageId, { status: 'sent', at: instant(unit.clock) });
        await unit.publish(mail.events.sent, { messageId, memberId, subject });
      }),
    ],
    async compensated(unit, { messageId, memberId, subject }, reason) {
      await markMail(unit, messageId, { status: 'bounced', at: instant(unit.clock) });
      await unit.publish(mail.events.bounced, { messageId, memberId, subject, reason });
    },
  };
}

/** Accepts a mail. A saga of its own sends it, so that a server outage delays the mail and loses nothing. */
export function send(sending: Saga<Mail, ModuleUnit>) {
  return handle(mail.operations.send, async (message, unit) => {
    const { messageId, memberId, to, subject, text } = message;
    if (await mailById(unit, messageId)) return { messageId };
    const at = instant(unit.clock);
    await addMail(unit, { messageId, memberId, recipient: to, subject, text, status: 'queued', at });
    await unit.begin(sending, messageId, message);
    return { messageId };
  });
}
