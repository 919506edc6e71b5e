import { describe, expect, it } from 'vitest';
import { checkHistories } from './differential/check.ts';
import { FakeWorld, type Flaw } from './differential/fake.ts';

/** Proves that the comparison can fail: it must find planted flaws. */
describe('the comparison of two worlds', () => {
  const search = { runs: 1_000, withinMs: 60_000, seed: 1 };

  it('reports nothing for two worlds with the same behavior', async () => {
    await checkHistories([new FakeWorld('the honest one'), new FakeWorld('its twin')], { ...search, runs: 200 });
  });

  const flaws: [flaw: Flaw, words: RegExp[]][] = [
    ['shows every order to everybody', [/differs .* (reads|cancels) order|what \w+ sees/, /orders 1 GLUE/]],
    ['ignores idempotency keys', [/under key (\d).*under key \1/s]],
    ['keeps the stock of cancelled orders', [/\w+ cancels order \d/, /the changes of the stock|looks at|orders/]],
    ['returns inconsistent errors', [/(reads|cancels) order \d/, /404.*403/s]],
  ];

  it.each(flaws)('finds a world that %s, and reports the shortest history', async (flaw, words) => {
    const worlds = [new FakeWorld('the honest one'), new FakeWorld('the flawed one', flaw)];
    const found = await checkHistories(worlds, search).catch((error: Error) => error.message);
    expect(found).toContain('the flawed one differs from the honest one');
    for (const each of words) expect(found).toMatch(each);
    expect(stepsOf(found as string).length).toBeLessThanOrEqual(4);
    expect(found).toMatch(/SEED=1 REPLAY_PATH=[\d:]+ npm test -- differential$/);
  });

  it('replays the history of a given path', async () => {
    const worlds = () => [new FakeWorld('the honest one'), new FakeWorld('the flawed one', 'ignores idempotency keys')];
    const first = await checkHistories(worlds(), search).catch((error: Error) => error.message);
    const path = /REPLAY_PATH=(\S+)/.exec(first as string)![1]!;
    const again = await checkHistories(worlds(), { ...search, path }).catch((error: Error) => error.message);
    expect(stepsOf(again as string)).toEqual(stepsOf(first as string));
  });
});

function stepsOf(report: string): string[] {
  return report.split('\n').filter((line) => /^ {2}\d+\. /.test(line));
}
