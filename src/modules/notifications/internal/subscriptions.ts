import { sql } from 'drizzle-orm';
import { type Clock, instant } from '../../../shared/kernel/context/index.ts';
import { prepared, rowsBy } from '../../../shared/kernel/database/index.ts';
import { refusal } from '../../../shared/kernel/errors/index.ts';
import { type ModuleUnit, on } from '../../../shared/kernel/module/index.ts';
import { mail } from '../../mail/contract.ts';
import { members } from '../../members/contract.ts';
import { orders } from '../../orders/contract.ts';
import { sms } from '../../sms/contract.ts';
import { notify } from './dispatch.ts';
import { type MessageStatus, tables } from './tables.ts';
import { keepContact, welcome } from './welcome.ts';

const contactsBy = rowsBy((reader) => tables(reader).contacts, 'memberId');

/** Returns a handler for each event that this module subscribes to. */
export function subscriptions(clock: Clock) {
  const settle = (channel: 'mail' | 'sms', status: MessageStatus) => async (told: Told, unit: ModuleUnit) =>
    record(unit, { id: told.messageId, memberId: told.memberId, subject: told.subject, channel, status }, clock);
  return [
    on(members.events.registered, async ({ wiring, ...member }, unit) => {
      if (wiring === 'events') await welcome(clock)(member, unit);
      else await keepContact(unit, member);
    }),
    on(orders.events.confirmed, async ({ orderId, memberId, total }, unit) => {
      const [contact] = await contactsBy(unit, memberId);
      if (!contact)
        throw refusal('unavailable', `member ${memberId} is not known here yet; the order's messages wait for that`);
      const subject = `Order ${orderId} is confirmed`;
      await notify(
        unit,
        contact,
        { orderId, subject, text: `${subject}.\nTotal: ${total.amount} ${total.currency}\n` },
        clock,
      );
    }),
    on(mail.events.sent, settle('mail', 'sent')),
    on(mail.events.bounced, settle('mail', 'failed')),
    on(sms.events.sent, ({ text, ...told }, unit) => settle('sms', 'sent')({ ...told, subject: text }, unit)),
    on(sms.events.failed, ({ text, ...told }, unit) => settle('sms', 'failed')({ ...told, subject: text }, unit)),
  ];
}

interface Told {
  messageId: string;
  memberId: string;
  subject: string;
}

const { placeholder } = sql;

const recording = prepared((unit) => {
  const { messages } = tables(unit);
  return unit.db
    .insert(messages)
    .values({
      id: placeholder('id'),
      memberId: placeholder('memberId'),
      channel: placeholder('channel'),
      subject: placeholder('subject'),
      status: placeholder('status'),
      at: placeholder('at'),
    })
    .onConflictDoUpdate({ target: messages.id, set: { status: sql`${placeholder('status')}` } })
    .prepare();
});

/** Records the status of a message. Also adds a message that another module requested, as members may (see its wirings). */
async function record(
  unit: ModuleUnit,
  message: { id: string; memberId: string; subject: string; channel: 'mail' | 'sms'; status: MessageStatus },
  clock: Clock,
): Promise<void> {
  await recording(unit).execute({ ...message, at: instant(clock) });
}
