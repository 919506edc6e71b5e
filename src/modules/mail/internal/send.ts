import { eq } from 'drizzle-orm';
import { type Clock, instant } from '../../../shared/clock/index.ts';
import type { ModuleUnit } from '../../../shared/module/index.ts';
import type { Saga } from '../../../shared/saga/index.ts';
import type { Sending } from './sending.ts';
import { tables } from './tables.ts';

interface Mail {
  messageId: string;
  memberId: string;
  to: string;
  subject: string;
  text: string;
}

/** Takes a mail in; it is sent by a saga of its own, so that a server that is down delays it and loses nothing. */
export function send(sending: Saga<Sending, ModuleUnit>, clock: Clock) {
  return async ({ messageId, memberId, to, subject, text }: Mail, unit: ModuleUnit) => {
    const { mails } = tables(unit);
    const known = await unit.db
      .select({ messageId: mails.messageId })
      .from(mails)
      .where(eq(mails.messageId, messageId));
    if (known.length > 0) return { messageId };
    const row = { messageId, memberId, recipient: to, subject, text, status: 'queued' as const, at: instant(clock) };
    await unit.db.insert(mails).values(row);
    await unit.begin(sending, messageId, { messageId, memberId, to, subject, text });
    return { messageId };
  };
}
