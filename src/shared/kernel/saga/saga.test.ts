import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { ManualClock } from '../context/index.ts';
import { command, contract, nothing } from '../contract/index.ts';
import type { Database, Unit } from '../database/index.ts';
import { refusal } from '../errors/index.ts';
import { instanceMigrations } from '../leader-election/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { SagaRunner } from './runner.ts';
import { endOf } from './saga.scene.ts';
import { type Saga, step } from './saga.ts';
import { findSaga } from './store.ts';
import { sagaMigrations, sagaTables } from './tables.ts';

const bank = contract('bank', {
  operations: {
    take: command({ summary: 'Takes', input: nothing, output: z.object({ receipt: z.string() }) }),
    giveBack: command({ summary: 'Gives back', input: nothing, output: nothing }),
    stamp: command({ summary: 'Stamps', input: nothing, output: nothing }),
    unstamp: command({ summary: 'Unstamps', input: nothing, output: nothing }),
    seal: command({ summary: 'Seals', input: nothing, output: nothing }),
  },
  errors: { broke: { status: 402, title: 'No money' } },
});

interface Deal {
  receipt?: string;
}
const next = step<Deal, Unit>;

describe('a saga', () => {
  const clock = new ManualClock();
  let log: string[] = [];
  let refusedWrites = 0;
  let opened = 0;
  let commits = 0;
  let answers: Record<string, () => unknown> = {};
  let database: Database;
  let runner: SagaRunner<Unit>;

  const deal: Saga<Deal> = {
    name: 'deal',
    version: 1,
    data: z.object({ receipt: z.string().optional() }),
    deadlineMs: 10_000,
    steps: [
      next('take')
        .call(
          bank.operations.take,
          () => ({}),
          ({ receipt }) => ({ receipt }),
        )
        .compensate(bank.operations.giveBack, () => ({})),
      next('stamp')
        .call(bank.operations.stamp, () => ({}))
        .compensate(bank.operations.unstamp, () => ({})),
      next('seal')
        .call(bank.operations.seal, () => ({}))
        .thenNoReturn(),
      next('write down').write(async (_unit, { receipt }) => {
        if (refusedWrites-- > 0) throw bank.refuse('broke');
        log.push(`written ${receipt}`);
      }),
    ],
    compensated: async (_unit, _data, reason) => void log.push(`taken back: ${reason}`),
  };

  const errand: Saga<Deal> = {
    name: 'errand',
    version: 1,
    data: deal.data,
    steps: [next('stamp').call(bank.operations.stamp, () => ({}))],
  };

  function open(file = join(mkdtempSync(join(tmpdir(), 'kerf-saga-')), 'saga.db')): string {
    database = openSqlite('saga', file, [...instanceMigrations, ...sagaMigrations]);
    runner = new SagaRunner<Unit>({
      module: 'sample',
      sagas: [deal as Saga<never>, errand as Saga<never>],
      database,
      instance: { id: `instance-${opened++}`, lives: true },
      work: (task) => {
        commits += 1;
        return database.work(task);
      },
      call: async ({ name }, _input, key) => {
        log.push(`${name} ${key}`);
        return answers[name]?.() ?? { receipt: 'r1' };
      },
      clock,
      log: silentLog,
    });
    return file;
  }

  async function run(id: string): Promise<string> {
    await runner.start();
    await database.work((unit) => runner.begin(unit, deal, id, {}));
    return end(id);
  }

  const end = (id: string) => endOf(database, clock, id);

  afterEach(async () => {
    await runner.stop();
    await database.close();
    log = [];
    answers = {};
    refusedWrites = 0;
    commits = 0;
  });

  const failing = (times: number, error: unknown) => () => {
    if (times-- > 0) throw error;
    return {};
  };

  it('runs its steps in order, with stable keys, and keeps their answers', async () => {
    open();
    expect(await run('d1')).toBe('done');
    expect(log).toEqual(['take d1/take', 'stamp d1/stamp', 'seal d1/seal', 'written r1']);
  });

  it('costs one commit per recorded step, and the last write shares its final commit', async () => {
    open();
    await run('d15');
    expect(commits).toBe(3);
  });

  it('compensates its completed steps in reverse order after a refusal', async () => {
    open();
    answers.seal = failing(1, bank.refuse('broke'));
    expect(await run('d2')).toBe('compensated');
    expect(log.slice(3)).toEqual(['unstamp d2/stamp/undo', 'giveBack d2/take/undo', 'taken back: broke']);
  });

  it('ends immediately when the first step is refused', async () => {
    open();
    answers.take = failing(1, bank.refuse('broke'));
    expect(await run('d3')).toBe('compensated');
    expect(log).toEqual(['take d3/take', 'taken back: broke']);
  });

  it('retries a step after another failure, with the same key', async () => {
    open();
    answers.stamp = failing(3, refusal('unavailable'));
    expect(await run('d4')).toBe('done');
    expect(log.filter((line) => line === 'stamp d4/stamp')).toHaveLength(4);
  });

  it('compensates also the step with an unknown outcome after its deadline', async () => {
    open();
    answers.stamp = failing(Number.POSITIVE_INFINITY, refusal('timeout'));
    expect(await run('d5')).toBe('compensated');
    expect(log.slice(-3)).toEqual(['unstamp d5/stamp/undo', 'giveBack d5/take/undo', 'taken back: timeout']);
  });

  it('compensates the refused step when an earlier attempt may have taken effect', async () => {
    open();
    let attempts = 0;
    answers.take = () => {
      throw attempts++ === 0 ? refusal('timeout') : bank.refuse('broke');
    };
    expect(await run('d10')).toBe('compensated');
    expect(log).toContain('giveBack d10/take/undo');
  });

  it('does not treat an unreachable callee as a refusal', async () => {
    open();
    answers.stamp = failing(2, refusal('unauthenticated'));
    expect(await run('d11')).toBe('done');
  });

  it('retries a failed write, and does not compensate', async () => {
    open();
    refusedWrites = 2;
    expect(await run('d12')).toBe('done');
    expect(log.filter((line) => line.includes('undo'))).toEqual([]);
  });

  it('without compensation becomes stuck after a refusal, and logs it', async () => {
    open();
    answers.stamp = failing(1, bank.refuse('broke'));
    await runner.start();
    await database.work((unit) => runner.begin(unit, errand, 'e1', {}));
    expect(await end('e1')).toBe('stuck');
    expect(log).toEqual(['stamp e1/stamp']);
  });

  it('of an unknown version is postponed, and does not block other sagas', async () => {
    open();
    await database.work(async (unit) => {
      for (let n = 0; n < 40; n++) await runner.begin(unit, deal, `new-${n}`, {});
      await unit.db.update(sagaTables(unit).sagas).set({ version: 9 });
    });
    await runner.start();
    expect(await run('d13')).toBe('done');
    await vi.waitFor(async () =>
      expect((await findSaga(database, 'new-39'))?.lastError).toBe('deal.v9 is not known here'),
    );
  });

  it('deletes its data when it has ended', async () => {
    open();
    await run('d14');
    expect((await findSaga(database, 'd14'))?.data).toEqual({});
  });

  it('becomes stuck when it can neither continue nor compensate', async () => {
    open();
    answers.stamp = failing(1, bank.refuse('broke'));
    answers.giveBack = failing(Number.POSITIVE_INFINITY, new Error('the bank burnt down'));
    expect(await run('d6')).toBe('stuck');
    expect((await findSaga(database, 'd6'))?.lastError).toBe('the bank burnt down');
  });

  it('continues after a crash with the step in flight', async () => {
    const file = open();
    let crash = () => {};
    const crashed = new Promise<void>((resolve) => {
      crash = resolve;
    });
    answers.stamp = () => {
      crash();
      return new Promise(() => {});
    };
    await runner.start();
    await database.work((unit) => runner.begin(unit, deal, 'd7', {}));
    await crashed;
    log = [];
    answers = {};
    open(file);
    await runner.start();
    expect(await end('d7')).toBe('done');
    expect(log).toEqual(['stamp d7/stamp', 'seal d7/seal', 'written r1']);
  });

  it('starts only when its unit of work commits', async () => {
    open();
    await runner.start();
    const failed = database.work(async (unit) => {
      await runner.begin(unit, deal, 'd8', {});
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await findSaga(database, 'd8')).toBeUndefined();
    expect(log).toEqual([]);
  });

  it("reports its outcome to a waiter, at most until the waiter's timeout", async () => {
    open();
    let finish = () => {};
    answers.seal = () =>
      new Promise((resolve) => {
        finish = () => resolve({});
      });
    await runner.start();
    await database.work((unit) => runner.begin(unit, deal, 'd9', {}));
    const impatient = runner.settled('d9', 50);
    while (!log.includes('seal d9/seal')) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(50);
    expect(await impatient).toBeUndefined();
    const patient = runner.settled('d9', 5_000);
    finish();
    expect(await patient).toBe('done');
  });
});
