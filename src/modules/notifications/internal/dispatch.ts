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

/** For each channel, hands a message to its module. The result comes back as an event. */
export const dispatches: Record<Message['channel'], Saga<MessageDispatch, ModuleUnit>> = {
  mail: {
    ...{ name: 'mail-dispatch', version: 1, data },
    steps: [step<MessageDispatch>('hand to mail').call(mail.operations.send, (message) => message)],
  },
  sms: {
    ...{ name: 'text-dispatch', version: 1, data },
    steps: [step<MessageDispatch>('hand to sms').call(sms.operations.send, ({ subject: _, ...message }) => message)],
  },
};

type Letter = { subject: string; text: string; orderId?: string };

/** Queues one mail, and one text message when the contact has a phone. */
export async function notify(unit: ModuleUnit, contact: Contact, { subject, text, orderId }: Letter): Promise<void> {
  const { memberId, email, phone } = contact;
  const queue = async (channel: Message['channel'], to: string, text: string) => {
    const messageId = newId();
    const at = instant(unit.clock);
    await addMessage(unit, { id: messageId, memberId, channel, subject, orderId, status: 'queued', at });
    await unit.begin(dispatches[channel], messageId, { messageId, memberId, to, subject, text });
  };
  await queue('mail', email, text);
  if (phone) await queue('sms', phone, subject);
}
