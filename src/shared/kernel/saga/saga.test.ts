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
    take: command({ about: 'Takes', input: nothing, output: z.object({ receipt: z.string() }) }),
    giveBack: command({ about: 'Gives back', input: nothing, output: nothing }),
    stamp: command({ about: 'Stamps', input: nothing, output: nothing }),
    unstamp: command({ about: 'Unstamps', input: nothing, output: nothing }),
    seal: command({ about: 'Seals', input: nothing, output: nothing }),
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

  it('goes through its steps in order, with stable keys, and carries what they answer', async () => {
    open();
    expect(await run('d1')).toBe('done');
    expect(log).toEqual(['take d1/take', 'stamp d1/stamp', 'seal d1/seal', 'written r1']);
  });

  it('costs one commit a step besides the one it begins with, in which its last write is', async () => {
    open();
    await run('d15');
    expect(commits).toBe(3);
  });

  it('takes back, in reverse, what was done before a refusal', async () => {
    open();
    answers.seal = failing(1, bank.refuse('broke'));
    expect(await run('d2')).toBe('compensated');
    expect(log.slice(3)).toEqual(['unstamp d2/stamp/undo', 'giveBack d2/take/undo', 'taken back: broke']);
  });

  it('ends at once when the first step is refused: nothing was done', async () => {
    open();
    answers.take = failing(1, bank.refuse('broke'));
    expect(await run('d3')).toBe('compensated');
    expect(log).toEqual(['take d3/take', 'taken back: broke']);
  });

  it('repeats a step that fails otherwise, with the same key', async () => {
    open();
    answers.stamp = failing(3, refusal('unavailable'));
    expect(await run('d4')).toBe('done');
    expect(log.filter((line) => line === 'stamp d4/stamp')).toHaveLength(4);
  });

  it('takes back the step in doubt as well when its deadline has passed', async () => {
    open();
    answers.stamp = failing(Number.POSITIVE_INFINITY, refusal('timeout'));
    expect(await run('d5')).toBe('compensated');
    expect(log.slice(-3)).toEqual(['unstamp d5/stamp/undo', 'giveBack d5/take/undo', 'taken back: timeout']);
  });

  it('takes back the step itself when an attempt before the refusal may have done it', async () => {
    open();
    let attempts = 0;
    answers.take = () => {
      throw attempts++ === 0 ? refusal('timeout') : bank.refuse('broke');
    };
    expect(await run('d10')).toBe('compensated');
    expect(log).toContain('giveBack d10/take/undo');
  });

  it('does not take for a refusal what says only that the callee could not be asked', async () => {
    open();
    answers.stamp = failing(2, refusal('unauthenticated'));
    expect(await run('d11')).toBe('done');
  });

  it('repeats a write that fails, and takes nothing back for it', async () => {
    open();
    refusedWrites = 2;
    expect(await run('d12')).toBe('done');
    expect(log.filter((line) => line.includes('undo'))).toEqual([]);
  });

  it('that goes forward only is stuck when it is refused, and says so', async () => {
    open();
    answers.stamp = failing(1, bank.refuse('broke'));
    await runner.start();
    await database.work((unit) => runner.begin(unit, errand, 'e1', {}));
    expect(await end('e1')).toBe('stuck');
    expect(log).toEqual(['stamp e1/stamp']);
  });

  it('of a version that is not known here is set aside, in nobody’s way', async () => {
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

  it('keeps nothing of its data when it has ended', async () => {
    open();
    await run('d14');
    expect((await findSaga(database, 'd14'))?.data).toEqual({});
  });

  it('is stuck, and not dropped, when it can neither go on nor back', async () => {
    open();
    answers.stamp = failing(1, bank.refuse('broke'));
    answers.giveBack = failing(Number.POSITIVE_INFINITY, new Error('the bank burnt down'));
    expect(await run('d6')).toBe('stuck');
    expect((await findSaga(database, 'd6'))?.lastError).toBe('the bank burnt down');
  });

  it('goes on, after a crash, with the step that was in doubt', async () => {
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

  it('starts with the commit of its unit, or not at all', async () => {
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

  it('tells who waits for it how it ended, and does not make them wait for longer than they said', async () => {
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
