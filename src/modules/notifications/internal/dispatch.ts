import { instant, newId } from 'kerf/context';
import { id } from 'kerf/contract';
import type { ModuleUnit } from 'kerf/module';
import { type Saga, step } from 'kerf/saga';
import { z } from 'zod';
import { mail } from '../../mail/contract.ts';
import { sms } from '../../sms/contract.ts';
import type { Message } from '../contract.ts';
import { addMessage, type Contact } from './store.ts';

const data = z.object({ messageId: id, memberId: id, to: z.string(), subject: z.string(), text: z.string() });
type MessageDispatch = z.infer<typeof data>;

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
  steps: [step<MessageDispatch>('hand to sms').call(sms.operations.send, ({ subject: _, ...message }) => message)],
};

interface Letter {
  subject: string;
  text: string;
  orderId?: string;
}

/** Queues one mail, and one text message when the contact has a phone. */
export async function notify(unit: ModuleUnit, contact: Contact, letter: Letter): Promise<void> {
  const { memberId, email, phone } = contact;
  await queue(unit, 'mail', memberId, email, letter);
  if (phone) await queue(unit, 'sms', memberId, phone, { ...letter, text: letter.subject });
}

const sagas = { mail: mailDispatch, sms: textDispatch };

async function queue(
  unit: ModuleUnit,
  channel: Message['channel'],
  memberId: string,
  to: string,
  { subject, text, orderId }: Letter,
): Promise<void> {
  const messageId = newId();
  const at = instant(unit.clock);
  await addMessage(unit, { id: messageId, memberId, channel, subject, orderId, status: 'queued', at });
  await unit.begin(sagas[channel], messageId, { messageId, memberId, to, subject, text });
}
