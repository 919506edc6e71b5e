import { isRefusal } from '../../src/shared/errors/index.ts';
import { type Ask, disagreements, type OrderRow, readBooks, unfinished } from '../harness/books.ts';
import type { Asked } from './customer.ts';
import { unevenEffects } from './effects.ts';
import type { FirstDay } from './first-day.ts';
import type { Provider } from './provider.ts';

/** What is not as it must be when a history has come to rest, in words. */
export function violations({ disks }: FirstDay, asked: readonly Asked[], provided: Provider['books']): string[] {
  const ask = <T>(module: string, query: string) => disks.get(module)!.ask<T>(query);
  const books = readBooks(ask);
  return [
    ...[...disks.keys()].flatMap((module) => unfinished(ask, module)),
    ...unevenEffects(disks),
    ...disagreements(books),
    ...books.orders.flatMap((order) => kept(order, ask, provided)),
    ...asked.flatMap((each) => brokenWord(books.orders, each)),
  ];
}

const states: Record<string, readonly string[]> = { confirmed: ['captured'], cancelled: ['refunded'] };

/** The provider keeps money for what is confirmed, and for nothing else. What it was never asked for is not in its books. */
function kept({ id, status }: OrderRow, ask: Ask, provided: Provider['books']): string[] {
  const payments = ask<{ id: string; order_id: string }>('payments', 'SELECT id, order_id FROM payments');
  const payment = payments.find((each) => each.order_id === id);
  const state = payment && provided.get(payment.id);
  const well = state
    ? (states[status] ?? ['voided', 'declined']).includes(state)
    : !states[status] || provided.size === 0;
  if (well) return [];
  return [`order ${id} is ${status}, and its payment is ${state ?? 'unknown'} at the provider`];
}

/** What a member was told holds. */
function brokenWord(orders: readonly OrderRow[], { wish, memberId, placed, cancelled }: Asked): string[] {
  const rows = orders.filter((each) => each.member_id === memberId && each.key === wish.key);
  if (!placed) return [`${wish.key} was never answered`];
  if (isRefusal(placed)) return [`${wish.key} was refused: ${placed.code}, ${placed.message}`];
  const [row] = rows;
  if (rows.length !== 1 || !row) return [`${wish.key} was answered once, and is there ${rows.length} times`];
  if (row.id !== placed.id) return [`order ${row.id} was told as ${placed.id}`];
  if (isRefusal(cancelled)) return [`order ${row.id} could not be cancelled: ${cancelled.code}, ${cancelled.message}`];
  const told = cancelled?.status ?? placed.status;
  return told === row.status || told === 'pending'
    ? []
    : [`order ${row.id} was told to be ${told} and is ${row.status}`];
}
