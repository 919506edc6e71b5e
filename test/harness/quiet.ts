import { eventually, type Kerf } from './kerf.ts';

/**
 * Resolves when nothing is in flight: no event waits, no saga runs. It needs two quiet looks in a row. Within one look, work
 * may move from a module that it has not asked yet to a module that it has already asked.
 */
export async function quiet(kerf: Kerf): Promise<void> {
  let seen = 0;
  await eventually(async () => {
    seen = (await busy(kerf)) === 0 ? seen + 1 : 0;
    return seen === 2;
  }, 'quiescence');
}

async function busy(kerf: Kerf): Promise<number> {
  const paths = ['/ops/outbox', '/ops/sagas?state=running', '/ops/sagas?state=compensating'];
  const answers = (await Promise.all(paths.map((path) => kerf.ops(path)))) as { items: unknown[] }[];
  return answers.reduce((sum, { items }) => sum + items.length, 0);
}
