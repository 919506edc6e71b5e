import { newId } from 'kerf/context';
import { testModule } from 'kerf/testing';
import { expect, it } from 'vitest';
import { mail } from '../mail/contract.ts';
import { members } from '../members/contract.ts';
import { orders } from '../orders/contract.ts';
import notifications from './module.ts';

const memberId = newId();
const ann = { memberId, email: 'ann@example.com', name: 'Ann', phone: '+82 10 1234 5678', wiring: 'events' as const };

/** Opens the module, and notes each message that it hands to mail or sms. */
async function withPost() {
  const handed: { messageId: string; to: string }[] = [];
  const send = ({ messageId, to }: { messageId: string; to: string }) => {
    handed.push({ messageId, to });
    return { messageId };
  };
  const desk = await testModule(notifications, { stubs: { mail: { send }, sms: { send } } });
  return { desk, handed, recipients: () => handed.map(({ to }) => to).sort() };
}

it('welcomes a new member by every channel', async () => {
  const { desk, recipients } = await withPost();
  await desk.when(members.events.registered, ann);
  expect(recipients()).toEqual([ann.phone, ann.email]);
});

it('welcomes nobody whom another module welcomes', async () => {
  const { desk, recipients } = await withPost();
  await desk.when(members.events.registered, { ...ann, wiring: 'router' });
  expect(recipients()).toEqual([]);
});

it('tells of a confirmed order once its member is known, whichever event comes first', async () => {
  const { desk, recipients } = await withPost();
  const orderId = newId();
  const order = { orderId, memberId, lines: [{ sku: 'WAX', quantity: 1 }], total: { amount: 1, currency: 'KRW' } };
  await expect(desk.when(orders.events.confirmed, order)).rejects.toMatchObject({ code: 'unavailable' });
  await desk.when(members.events.registered, { ...ann, wiring: 'router' });
  expect(recipients()).toEqual([]);
  await desk.advance(60_000);
  expect(recipients()).toEqual([ann.phone, ann.email]);
  expect((await desk.history({ memberId, orderId })).items).toHaveLength(2);
});

it('keeps the history of the messages to a member, with what became of them', async () => {
  const { desk, handed } = await withPost();
  await desk.welcome({ memberId, email: ann.email, name: 'Ann' });
  await desk.idle();
  const { messageId } = handed[0]!;
  expect(await desk.history({ memberId })).toMatchObject({ items: [{ id: messageId, status: 'queued' }] });
  await desk.when(mail.events.bounced, { messageId, memberId, subject: 'Welcome to Kerf', reason: 'no such mailbox' });
  expect(await desk.history({ memberId })).toMatchObject({ items: [{ id: messageId, status: 'failed' }] });
});
