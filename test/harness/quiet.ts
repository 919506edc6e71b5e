import { eventually, type Kerf } from './kerf.ts';

/**
 * Resolves when nothing is in flight: no event waits, no saga runs. It must be seen twice in a row, because the modules are
 * asked one after the other and work may have moved from one that was still to be asked to one that had been.
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
