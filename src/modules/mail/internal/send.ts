import { type Clock, instant } from '../../../shared/kernel/context/index.ts';
import { insertInto, rowsBy } from '../../../shared/kernel/database/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import type { Saga } from '../../../shared/kernel/saga/index.ts';
import type { MailSending } from './sending.ts';
import { tables } from './tables.ts';

interface Mail {
  messageId: string;
  memberId: string;
  to: string;
  subject: string;
  text: string;
}

const mailsBy = rowsBy((reader) => tables(reader).mails, 'messageId');
const addMail = insertInto((reader) => tables(reader).mails);

/** Accepts a mail. A saga of its own sends it, so that a server outage delays the mail and loses nothing. */
export function send(sending: Saga<MailSending, ModuleUnit>, clock: Clock) {
  return async ({ messageId, memberId, to, subject, text }: Mail, unit: ModuleUnit) => {
    const known = await mailsBy(unit, messageId);
    if (known.length > 0) return { messageId };
    const row = { messageId, memberId, recipient: to, subject, text, status: 'queued' as const, at: instant(clock) };
    await addMail(unit, row);
    await unit.begin(sending, messageId, { messageId, memberId, to, subject, text });
    return { messageId };
  };
}
