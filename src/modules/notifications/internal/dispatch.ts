import { z } from 'zod';
import { type Clock, instant, newId } from '../../../shared/kernel/context/index.ts';
import { insertInto } from '../../../shared/kernel/database/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { type Saga, step } from '../../../shared/kernel/saga/index.ts';
import { mail } from '../../mail/contract.ts';
import { sms } from '../../sms/contract.ts';
import { type Contact, tables } from './tables.ts';

const data = z.object({
  messageId: z.string(),
  memberId: z.string(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
});
export type MessageDispatch = z.infer<typeof data>;

/** Hands a mail to the mail module. The result comes back as an event. */
export const mailDispatch: Saga<MessageDispatch, ModuleUnit> = {
  name: 'mail-dispatch',
  version: 1,
  data,
  steps: [step<MessageDispatch>('hand to mail').call(mail.operations.send, (message) => message)],
};

export const textDispatch: Saga<MessageDispatch, ModuleUnit> = {
  name: 'text-dispatch',
  version: 1,
  data,
  steps: [
    step<MessageDispatch>('hand to sms').call(sms.operations.send, ({ messageId, memberId, to, text }) => ({
      messageId,
      memberId,
      to,
      text,
    })),
  ],
};

interface Letter {
  subject: string;
  text: string;
  orderId?: string;
}

/** Queues one mail, and one text message when the contact has a phone. */
export async function notify(unit: ModuleUnit, contact: Contact, letter: Letter, clock: Clock): Promise<void> {
  const { email, phone } = contact;
  await queue(unit, 'mail', contact.memberId, email, letter, clock);
  if (phone) await queue(unit, 'sms', contact.memberId, phone, { ...letter, text: letter.subject }, clock);
}

const addMessage = insertInto((reader) => tables(reader).messages);

const sagas = { mail: mailDispatch, sms: textDispatch };

async function queue(
  unit: ModuleUnit,
  channel: 'mail' | 'sms',
  memberId: string,
  to: string,
  { subject, text, orderId }: Letter,
  clock: Clock,
): Promise<void> {
  const id = newId();
  const message = { id, memberId, channel, subject, orderId, status: 'queued' as const, at: instant(clock) };
  await addMessage(unit, message);
  await unit.begin(sagas[channel], id, { messageId: id, memberId, to, subject, text });
}
