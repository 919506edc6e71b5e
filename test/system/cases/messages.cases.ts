import { expect, it } from 'vitest';
import { eventually } from '../../harness/kerf.ts';
import type { Message, Page, Shop } from '../../harness/shop.ts';
import type { System } from './system.ts';

/** Resolves with a member's messages when there are `count` and all are sent. */
function sent(member: Shop, count: number): Promise<Message[]> {
  return eventually(async () => {
    const { items } = (await member.get<Page<Message>>('/messages?limit=100')).body;
    return items.length >= count && items.every(({ status }) => status === 'sent') && items;
  }, `${count} messages sent`);
}

function byChannel(messages: Message[], words: string): string[] {
  return messages.flatMap(({ subject, channel }) => (subject.includes(words) ? [channel] : [])).sort();
}

export function messageCases(system: System): void {
  it('sends one mail and one text message for a sign-up and for each confirmed order, and no others', async () => {
    const member = await system.shop.join({ phone: '010-1234-5678' });
    const orders = [await member.order('OIL'), await member.order('OIL')];
    const declined = await member.order('OIL', 1, { token: 'tok_declined' });
    const messages = await sent(member, 6);
    expect(messages).toHaveLength(6);
    expect(byChannel(messages, 'Welcome')).toEqual(['mail', 'sms']);
    for (const { body } of orders) expect(byChannel(messages, body.id)).toEqual(['mail', 'sms']);
    expect(byChannel(messages, declined.body.orderId!)).toEqual([]);
  });

  it('sends only mail to a member without a phone', async () => {
    const member = await system.shop.join();
    const { body } = await member.order('OIL');
    const messages = await sent(member, 2);
    expect([byChannel(messages, 'Welcome'), byChannel(messages, body.id)]).toEqual([['mail'], ['mail']]);
  });

  it('lists messages page by page, newest first', async () => {
    const member = await system.shop.join({ phone: '010-1234-5678' });
    const all = (await sent(member, 2)).map(({ id }) => id);
    const first = await member.get<Page<Message>>('/messages?limit=1');
    const second = await member.get<Page<Message>>(`/messages?limit=1&cursor=${first.body.next}`);
    expect([...first.body.items, ...second.body.items].map(({ id }) => id)).toEqual(all);
    expect(second.body.next).toBeNull();
    expect(all).toEqual([...all].sort().reverse());
  });
}
