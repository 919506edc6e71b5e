import { isRefusal } from '../../src/shared/kernel/errors/index.ts';
import { disagreements, type OrderRow, readBooks, unfinished } from '../harness/books.ts';
import { keptByProvider, type ProviderBooks } from '../harness/provider-books.ts';
import type { Asked, Stranger } from './customer.ts';
import { unevenEffects } from './effects.ts';
import type { FirstDay } from './first-day.ts';
import type { Told } from './world.ts';

/** Returns every violated invariant in words, after a history has come to rest. */
export function violations({ disks }: FirstDay, { asked, strangers }: Told, provided: ProviderBooks): string[] {
  const ask = <T>(module: string, query: string) => disks.get(module)!.ask<T>(query);
  const books = readBooks(ask);
  return [
    ...[...disks.keys()].flatMap((module) => unfinished(ask, module)),
    ...unevenEffects(disks),
    ...disagreements(books),
    ...keptByProvider(books.orders, ask, provided),
    ...asked.flatMap((each) => brokenWord(books.orders, each)),
    ...strangers.flatMap((each) => unwelcome(books.members, each)),
  ];
}

/** Checks that the answers to a member are true. */
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

/** Checks that a sign-up creates exactly one member, with the id of the answer. */
function unwelcome(members: readonly { id: string; email: string }[], { email, told }: Stranger): string[] {
  if (!told) return [`${email} was never answered`];
  if (isRefusal(told)) return [`${email} was refused: ${told.code}, ${told.message}`];
  const ids = members.filter((member) => member.email === email).map(({ id }) => id);
  return ids.join() === told.id ? [] : [`${email} was told to be member ${told.id} and is [${ids}]`];
}
