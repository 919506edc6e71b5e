import { setTimeout as pause } from 'node:timers/promises';
import { acknowledged, read } from '../crash/ledger.ts';
import { type Ask, disagreements, readBooks, unfinished } from '../harness/books.ts';
import { moduleNames } from '../harness/kerf.ts';
import { keptByProvider } from '../harness/provider-books.ts';
import type { Surroundings } from './faults.ts';
import type { Results } from './results.ts';

const askAgainMs = 500;

/**
 * Waits until every module is ready, nothing is in flight and all books agree, for at most `withinMs`. Returns the violations in words:
 * lost, duplicate or stuck work, broken promises, and answers that no fault explains.
 */
export async function judge(around: Surroundings, seen: Results, withinMs: number): Promise<string[]> {
  const end = Date.now() + withinMs;
  let found = await compare(around);
  while (found.length > 0 && Date.now() < end) {
    await pause(askAgainMs);
    found = await compare(around);
  }
  const unanswered = around.customers.unanswered.map((what) => `${what} was never answered`);
  return [
    ...found,
    ...unanswered,
    ...around.system.wrong,
    ...seen.wrong.map((what) => `an answer that no fault explains: ${what}`),
  ];
}

async function compare({ system, providers, customers }: Surroundings): Promise<string[]> {
  const away = (await system.ready()) ? [] : ['not every module is ready'];
  const books: Ask = <T>(module: string, query: string) =>
    // The system sends text messages through this run's provider, which records them.
    query.includes('development_outbox')
      ? ([...providers.texts.values()] as T[])
      : read<T>(system.dataDir, module, query);
  try {
    const { orders } = readBooks(books);
    return [
      ...away,
      ...moduleNames.flatMap((module) => unfinished(books, module)),
      ...disagreements(readBooks(books)),
      ...keptByProvider(orders, books, providers.payments),
      ...acknowledged({ orders }, customers.orderAnswers),
    ];
  } catch (error) {
    return [`the books cannot be read: ${(error as Error).message}`];
  }
}
