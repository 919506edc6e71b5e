import { instant } from 'kerf/context';
import { refusal } from 'kerf/errors';
import { handle, type ModuleUnit, on } from 'kerf/module';
import { mail } from '../../mail/contract.ts';
import { members } from '../../members/contract.ts';
import { orders } from '../../orders/contract.ts';
import { sms } from '../../sms/contract.ts';
import { type Message, notifications } from '../contract.ts';
import { notify } from './dispatch.ts';
import { contactOf, putContact, putStatus } from './store.ts';

export const welcome = handle(notifications.operations.welcome, async (member, unit) => {
  await putContact(unit, member);
  const text = `Hello ${member.name},\n\nyour account is ready.\n`;
  await notify(unit, member, { subject: 'Welcome to Kerf', text });
  return {};
});

export const subscriptions = [
  on(members.events.registered, async ({ wiring, ...member }, unit) => {
    if (wiring === 'events') await welcome(member, unit);
    else await putContact(unit, member);
  }),
  on(orders.events.confirmed, async ({ orderId, memberId, total }, unit) => {
    const contact = await contactOf(unit, memberId);
    if (!contact)
      throw refusal('unavailable', `member ${memberId} is not known here yet; the order's messages wait for that`);
    const subject = `Order ${orderId} is confirmed`;
    await notify(unit, contact, { orderId, subject, text: `${subject}.\nTotal: ${total.amount} ${total.currency}\n` });
  }),
  on(mail.events.sent, (mail, unit) => record(unit, { ...mail, channel: 'mail', status: 'sent' })),
  on(mail.events.bounced, (mail, unit) => record(unit, { ...mail, channel: 'mail', status: 'failed' })),
  on(sms.events.sent, (sms, unit) => record(unit, { ...sms, subject: sms.text, channel: 'sms', status: 'sent' })),
  on(sms.events.failed, (sms, unit) => record(unit, { ...sms, subject: sms.text, channel: 'sms', status: 'failed' })),
];

/** Records the status of a message. Adds it when members has asked mail or sms for it directly (its setting `SIGN_UP_WIRING`). */
function record(
  unit: ModuleUnit,
  message: Pick<Message, 'channel' | 'subject' | 'status'> & { messageId: string; memberId: string },
): Promise<void> {
  const { messageId: id, memberId, channel, subject, status } = message;
  return putStatus(unit, { id, memberId, channel, subject, status, at: instant(unit.clock) });
}
