import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { ManualClock } from '../context/index.ts';
import { command, contract, nothing } from '../contract/index.ts';
import type { Database, Unit } from '../database/index.ts';
import { instanceMigrations } from '../leader-election/index.ts';
import { type KernelListener, type Log, silentLog } from '../telemetry/index.ts';
import { describeSaga } from './listing.ts';
import { countOpenSagas } from './open-counts.ts';
import { SagaRunner } from './runner.ts';
import { type Saga, step } from './saga.ts';
import { findSaga } from './store.ts';
import { type SagaState, sagaMigrations } from './tables.ts';

const act = { input: nothing, output: nothing };
const bank = contract('bank', {
  operations: {
    take: command({ summary: 'Takes', ...act }),
    giveBack: command({ summary: 'Gives back', ...act }),
    seal: command({ summary: 'Seals', ...act }),
  },
  errors: { broke: { status: 402, title: 'No money' } },
});

interface Deal {
  buyer: string;
}
const next = step<Deal, Unit>;

describe('a stuck saga', () => {
  let clock: ManualClock;
  let database: Database;
  let runner: SagaRunner<Unit>;
  let called: string[];
  let written: string[];
  let errors: string[];
  let failing: Record<string, Error>;
  let ends: object[];

  const deal: Saga<Deal, Unit> = {
    name: 'deal',
    version: 1,
    data: z.object({ buyer: z.string() }),
    deadlineMs: 10_000,
    steps: [
      next('take')
        .call(bank.operations.take, () => ({}))
        .compensate(bank.operations.giveBack, () => ({}))
        .thenNoReturn(),
      next('seal').call(bank.operations.seal, () => ({})),
      next('confirm').write(async (_unit, { buyer }) => void written.push(`confirmed for ${buyer}`)),
    ],
    compensated: async (_unit, { buyer }, reason) => void written.push(`rejected for ${buyer}: ${reason}`),
  };
  const reversible: Saga<Deal, Unit> = {
    ...deal,
    name: 'reversible',
    steps: [
      next('take')
        .call(bank.operations.take, () => ({}))
        .compensate(bank.operations.giveBack, () => ({})),
      ...deal.steps.slice(1),
    ],
  };

  beforeEach(async () => {
    clock = new ManualClock();
    const file = join(mkdtempSync(join(tmpdir(), 'kerf-saga-')), 'saga.db');
    database = openSqlite('saga', file, [...instanceMigrations, ...sagaMigrations]);
    called = [];
    written = [];
    errors = [];
    failing = {};
    ends = [];
    const listener = { sagaEnded: (end: object) => ends.push(end) } as unknown as KernelListener;
    runner = new SagaRunner<Unit>({
      module: 'sample',
      sagas: [deal as Saga<never>, reversible as Saga<never>],
      database,
      instance: { id: 'one', lives: true },
      work: (task) => database.work(task),
      call: async ({ name }) => {
        called.push(name);
        if (failing[name]) throw failing[name];
        return {};
      },
      clock,
      listener,
      log: { ...silentLog, error: (_: unknown, text: string) => void errors.push(text) } as unknown as Log,
    });
    await runner.start();
  });

  afterEach(async () => {
    await runner.stop();
    await database.close();
  });

  /** Makes a saga stuck after its payment: the bank refuses the seal, so the saga can go neither forward nor back. */
  async function stuckForward(id: string): Promise<void> {
    failing.seal = bank.refuse('broke');
    await run(deal, id);
    failing = {};
  }

  /** Makes a saga stuck on its way back: the bank refuses the seal, and then the compensation too. */
  async function stuckBackward(id: string): Promise<void> {
    failing = { seal: bank.refuse('broke'), giveBack: bank.refuse('broke') };
    await run(reversible, id);
    failing = {};
  }

  async function run(saga: Saga<Deal, Unit>, id: string): Promise<void> {
    await database.work((unit) => runner.begin(unit, saga, id, { buyer: 'Ann' }));
    expect(await end(id)).toBe('stuck');
  }

  const end = (id: string): Promise<SagaState | undefined> => runner.settled(id, 60_000);
  const history = async (id: string) =>
    (await describeSaga(database, id))!.history.map(({ step: name, what }) => (name ? `${name} ${what}` : what));

  it('is counted with its age until it is settled, by an index alone', async () => {
    await stuckForward('one');
    clock.advance(60_000);
    await stuckBackward('two');
    const since = (id: string) => findSaga(database, id).then((row) => row!.startedAt);
    expect(await countOpenSagas(database)).toEqual([
      { name: 'deal', state: 'stuck', count: 1, since: await since('one') },
      { name: 'reversible', state: 'stuck', count: 1, since: await since('two') },
    ]);
    await database.work(async (unit) => void (await unit.db.run(sql`UPDATE kerf_sagas SET state = 'done'`)));
    expect(await countOpenSagas(database)).toEqual([]);
    for (const rows of ["state in ('running', 'compensating')", "state = 'stuck'"]) {
      const plan = `EXPLAIN QUERY PLAN select name from kerf_sagas where kerf_sagas.${rows} limit 10000`;
      const [step] = await database.db.all<{ detail: string }>(sql.raw(plan));
      expect(step?.detail).toMatch(/USING INDEX kerf_sagas_(open|stuck)/);
    }
  });

  it('is logged as an error with the place to look', async () => {
    await stuckForward('d1');
    expect(errors).toEqual(['a saga is stuck and needs a person: /ops/sagas?state=stuck']);
    expect(await findSaga(database, 'd1')).toMatchObject({ state: 'stuck', owner: null, lastError: 'No money' });
  });

  it('continues at its current step when it is resumed', async () => {
    await stuckForward('d1');
    await runner.resume('d1');
    expect(await end('d1')).toBe('done');
    expect(ends).toEqual([{ module: 'sample', saga: 'deal', outcome: 'done' }]);
    expect(called).toEqual(['take', 'seal', 'seal']);
    expect(await history('d1')).toEqual(['take done', 'seal stuck', 'resumed', 'seal done', 'confirm done']);
  });

  it('continues its compensation when it was compensating', async () => {
    await stuckBackward('d1');
    await runner.resume('d1');
    expect(await end('d1')).toBe('compensated');
    expect(written).toEqual(['rejected for Ann: broke']);
    expect(await history('d1')).toEqual(['take done', 'seal failed', 'take stuck', 'resumed', 'take taken back']);
  });

  it('becomes stuck again when nothing has changed', async () => {
    await stuckForward('d1');
    failing.seal = bank.refuse('broke');
    await runner.resume('d1');
    await expect.poll(() => history('d1')).toEqual(['take done', 'seal stuck', 'resumed', 'seal stuck']);
    expect((await findSaga(database, 'd1'))?.state).toBe('stuck');
  });

  it('settled as done runs its remaining writes, makes no calls and keeps the note', async () => {
    await stuckForward('d1');
    const before = called.length;
    await runner.settle('d1', 'done', 'Kim: sealed by hand');
    expect(written).toEqual(['confirmed for Ann']);
    expect(called).toHaveLength(before);
    const row = await findSaga(database, 'd1');
    expect(row).toMatchObject({ state: 'done', data: {}, owner: null });
    expect(row?.history.at(-1)).toEqual({ what: 'settled', at: clock.now(), note: 'Kim: sealed by hand' });
  });

  it('settled as compensated runs the writes of its compensation', async () => {
    await stuckForward('d1');
    await runner.settle('d1', 'compensated', 'Kim: paid back by hand');
    await stuckBackward('d2');
    await runner.settle('d2', 'compensated', 'Kim: paid back by hand');
    expect(written).toEqual(['rejected for Ann: settled', 'rejected for Ann: broke']);
    const compensated = { module: 'sample', outcome: 'compensated' };
    expect(ends).toEqual([
      { ...compensated, saga: 'deal' },
      { ...compensated, saga: 'reversible' },
    ]);
    expect(await findSaga(database, 'd2')).toMatchObject({ state: 'compensated', data: {} });
  });

  it('cannot be settled as done during its compensation', async () => {
    await stuckBackward('d1');
    await expect(runner.settle('d1', 'done', 'Kim')).rejects.toMatchObject({ code: 'invalid-input' });
    expect(await findSaga(database, 'd1')).toMatchObject({ state: 'stuck', data: { buyer: 'Ann' } });
  });

  it('of another release cannot be settled, only resumed by a release that knows it', async () => {
    await stuckForward('d1');
    const other = new SagaRunner<Unit>({
      module: 'sample',
      ...{ sagas: [], database, work: (task) => database.work(task), call: async () => ({}) },
      ...{ clock, log: silentLog, instance: { id: 'two', lives: true } },
    });
    await expect(other.settle('d1', 'done', 'Kim')).rejects.toThrow('deal.v1 is not known to this release');
  });

  it('is the only kind of saga that an operator may resume or settle', async () => {
    await database.work((unit) => runner.begin(unit, deal, 'd1', { buyer: 'Ann' }));
    expect(await end('d1')).toBe('done');
    for (const act of [runner.resume('d1'), runner.settle('d1', 'compensated', 'Kim')]) {
      await expect(act).rejects.toMatchObject({
        code: 'invalid-input',
        message: expect.stringContaining('d1 is done'),
      });
    }
    await expect(runner.resume('d9')).rejects.toMatchObject({ code: 'not-found' });
    expect(written).toEqual(['confirmed for Ann']);
  });

  it('counts repeated failures in its history instead of listing them all', async () => {
    failing.seal = new Error('the line is noisy');
    await database.work((unit) => runner.begin(unit, deal, 'd1', { buyer: 'Ann' }));
    await expect
      .poll(
        async () => {
          clock.advance(1_000);
          return (await findSaga(database, 'd1'))?.state;
        },
        { interval: 5 },
      )
      .toBe('stuck');
    const { history: all } = (await describeSaga(database, 'd1'))!;
    expect(all.map(({ what, times }) => [what, times])).toEqual([
      ['done', undefined],
      ['failed', 11],
      ['stuck', undefined],
    ]);
    expect(all[1]!.error).toBe('the line is noisy');
  });
});
