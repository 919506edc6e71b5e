import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { type Ask, type Books, disagreements, type OrderRow, readBooks, unfinished } from '../harness/books.ts';
import { moduleNames } from '../harness/kerf.ts';
import { type OrderAnswers, orderIdOf } from './rush.ts';

/**
 * Compares the records of the modules in a data folder with one another and with the answers to members. Returns every
 * disagreement in words. The list is empty when all agree and nothing is in flight.
 */
export function audit(dataDir: string, orderAnswers: OrderAnswers = new Map()): string[] {
  const ask: Ask = (module, query) => read(dataDir, module, query);
  const books = readBooks(ask);
  return [
    ...moduleNames.flatMap((module) => unfinished(ask, module)),
    ...acknowledged(books, orderAnswers),
    ...disagreements(books),
  ];
}

export function read<T>(dataDir: string, module: string, query: string): T[] {
  const database = new Sqlite(join(dataDir, `${module}.db`), { readonly: true, timeout: 5_000 });
  try {
    return database.prepare(query).all() as T[];
  } finally {
    database.close();
  }
}

const meant: Record<number, string[]> = {
  201: ['confirmed', 'cancelled'],
  202: ['confirmed', 'rejected'],
  402: ['rejected'],
  409: ['rejected'],
  // Only `order-failed`. Any other 503 decides nothing, and `orderAnswers` does not contain it.
  503: ['rejected'],
};

/** Returns every false answer to a member's order, in words. */
export function acknowledged({ orders }: Pick<Books, 'orders'>, orderAnswers: OrderAnswers): string[] {
  const byKey = Map.groupBy(orders, ({ key }) => key);
  return [...orderAnswers].flatMap(([key, answer]) => {
    const rows = byKey.get(key) ?? [];
    if (rows.length !== 1) return [`order ${key} was answered ${answer.status} and is there ${rows.length} times`];
    const [{ id, status }] = rows as [OrderRow];
    if (id !== orderIdOf(answer)) return [`order ${key} was answered as ${orderIdOf(answer)} and is ${id}`];
    return meant[answer.status]!.includes(status) ? [] : [`order ${id} was answered ${answer.status} and is ${status}`];
  });
}
