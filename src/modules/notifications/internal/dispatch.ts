import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import { type Clock, instant } from '../../../shared/clock/index.ts';
import type { ModuleUnit } from '../../../shared/module/index.ts';
import { type Saga, step } from '../../../shared/saga/index.ts';
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
export type Dispatch = z.infer<typeof data>;

/** Hands a mail over; what becomes of it comes back as an event. */
export const mailDispatch: Saga<Dispatch, ModuleUnit> = {
  name: 'mail-dispatch',
  version: 1,
  data,
  steps: [step<Dispatch>('hand to mail').call(mail.operations.send, (message) => message)],
};

export const textDispatch: Saga<Dispatch, ModuleUnit> = {
  name: 'text-dispatch',
  version: 1,
  data,
  steps: [
    step<Dispatch>('hand to sms').call(sms.operations.send, ({ messageId, memberId, to, text }) => ({
      messageId,
      memberId,
      to,
      text,
    })),
  ],
};

/** One mail, and one text message when there is a phone. */
export async function notify(
  unit: ModuleUnit,
  contact: Contact,
  letter: { subject: string; text: string },
  clock: Clock,
): Promise<void> {
  const { email, phone } = contact;
  await queue(unit, 'mail', mailDispatch, { ...letter, to: email, memberId: contact.memberId }, clock);
  if (phone)
    await queue(
      unit,
      'sms',
      textDispatch,
      { subject: letter.subject, text: letter.subject, to: phone, memberId: contact.memberId },
      clock,
    );
}

async function queue(
  unit: ModuleUnit,
  channel: 'mail' | 'sms',
  saga: Saga<Dispatch, ModuleUnit>,
  letter: Omit<Dispatch, 'messageId'>,
  clock: Clock,
) {
  const id = uuid();
  const { memberId, subject } = letter;
  await unit.db
    .insert(tables(unit).messages)
    .values({ id, memberId, channel, subject, status: 'queued', at: instant(clock) });
  await unit.begin(saga, id, { ...letter, messageId: id });
}
