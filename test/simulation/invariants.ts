import { isRefusal } from '../../src/shared/kernel/errors/index.ts';
import { disagreements, type OrderRow, readBooks, unfinished } from '../harness/books.ts';
import { keptByProvider, type ProviderBooks } from '../harness/provider-books.ts';
import type { Applicant, Asked } from './customer.ts';
import { unevenEffects } from './effects.ts';
import type { FirstDay } from './first-day.ts';
import type { Outcomes } from './world.ts';

/** Returns every violated invariant in words, after a history has come to rest. */
export function violations({ disks }: FirstDay, { asked, applicants }: Outcomes, provided: ProviderBooks): string[] {
  const ask = <T>(module: string, query: string) => disks.get(module)!.ask<T>(query);
  const books = readBooks(ask);
  return [
    ...[...disks.keys()].flatMap((module) => unfinished(ask, module)),
    ...unevenEffects(disks),
    ...disagreements(books),
    ...keptByProvider(books.orders, ask, provided),
    ...asked.flatMap((each) => brokenWord(books.orders, each)),
    ...applicants.flatMap((each) => unwelcome(books.members, each)),
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
function unwelcome(members: readonly { id: string; email: string }[], { email, answer }: Applicant): string[] {
  if (!answer) return [`${email} was never answered`];
  if (isRefusal(answer)) return [`${email} was refused: ${answer.code}, ${answer.message}`];
  const ids = members.filter((member) => member.email === email).map(({ id }) => id);
  return ids.join() === answer.id ? [] : [`${email} was answered as member ${answer.id} and is [${ids}]`];
}
