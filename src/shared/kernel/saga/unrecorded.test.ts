import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { ManualClock } from '../context/index.ts';
import { command, contract, nothing, query } from '../contract/index.ts';
import type { Database, Unit } from '../database/index.ts';
import { refusal } from '../errors/index.ts';
import { instanceMigrations } from '../leader-election/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { SagaRunner } from './runner.ts';
import { endOf } from './saga.scene.ts';
import { type Saga, step } from './saga.ts';
import { findSaga } from './store.ts';
import { sagaMigrations } from './tables.ts';

const act = { input: nothing, output: nothing };
const shop = contract('shop', {
  operations: {
    look: query({ summary: 'Looks', ...act }),
    take: command({ summary: 'Takes', ...act }),
    giveBack: command({ summary: 'Gives back', ...act }),
    wrap: command({ summary: 'Wraps', ...act }),
    unwrap: command({ summary: 'Unwraps', ...act }),
    ship: command({ summary: 'Ships', ...act }),
  },
  errors: { gone: { status: 409, title: 'Gone' } },
});

type Sale = Record<string, never>;
const next = step<Sale, Unit>;
const { look, take, giveBack, wrap, unwrap, ship } = shop.operations;
const taking = next('take')
  .call(take, () => ({}))
  .compensate(giveBack, () => ({}));
const wrapping = next('wrap')
  .call(wrap, () => ({}))
  .compensate(unwrap, () => ({}));
const shipping = next('ship')
  .call(ship, () => ({}))
  .thenNoReturn();

describe('an unrecorded step', () => {
  const clock = new ManualClock();
  const never = () => new Promise(() => {});
  let log: string[] = [];
  let answers: Record<string, () => unknown> = {};
  let [file, opened] = ['', 0];
  let instance: { readonly id: string; lives: boolean };
  let database: Database;
  let runner: SagaRunner<Unit>;

  const sale = (steps: Saga<Sale>['steps']): Saga<Sale> => ({
    ...{ name: 'sale', version: 1, data: z.object({}), deadlineMs: 10_000, steps },
    compensated: async (_unit, _data, reason) => void log.push(`taken back: ${reason}`),
  });

  function open(saga: Saga<Sale>): void {
    database = openSqlite('saga', file, [...instanceMigrations, ...sagaMigrations]);
    log = [];
    instance = { id: `instance-${opened++}`, lives: true };
    runner = new SagaRunner<Unit>({
      module: 'sample',
      ...{ sagas: [saga as Saga<never>], database, clock, log: silentLog, work: (task) => database.work(task) },
      instance,
      call: async ({ name }, _input, key) => {
        log.push(`${name} ${key}`);
        return answers[name]?.() ?? {};
      },
    });
  }

  /** Ends the saga's process while the call `name` is in flight, and starts another runner. */
  async function crashAt(name: string, saga: Saga<Sale>, id: string): Promise<void> {
    open(saga);
    answers = { [name]: never };
    await runner.start();
    await database.work((unit) => runner.begin(unit, saga, id, {}));
    await vi.waitFor(() => expect(log.at(-1)).toBe(`${name} ${id}/${name}`));
    instance.lives = false;
    answers = {};
    open(saga);
    await runner.start();
  }

  const end = (id: string) => endOf(database, clock, id);

  beforeEach(() => {
    file = join(mkdtempSync(join(tmpdir(), 'kerf-saga-')), 'saga.db');
  });

  afterEach(async () => {
    await runner.stop();
    await database.close();
  });

  it('is a command before another call, but not before a step without compensation', async () => {
    const saga = sale([taking, wrapping, shipping]);
    await crashAt('wrap', saga, 's1');
    expect(await findSaga(database, 's1')).toMatchObject({ step: 0 });
    await end('s1');
    await crashAt('ship', saga, 's2');
    expect(await findSaga(database, 's2')).toMatchObject({ step: 2 });
    await end('s2');
  });

  it('is never a query, because a repeated query may give another answer', async () => {
    const saga = sale([next('look').call(look, () => ({})), wrapping]);
    await crashAt('wrap', saga, 's3');
    expect(await findSaga(database, 's3')).toMatchObject({ step: 1 });
    await end('s3');
  });

  it('is repeated with its key after a crash', async () => {
    await crashAt('wrap', sale([taking, wrapping, shipping]), 's4');
    expect(await end('s4')).toBe('done');
    expect(log).toEqual(['take s4/take', 'wrap s4/wrap', 'ship s4/ship']);
  });

  it('is compensated with the steps after it when it is too late to repeat it', async () => {
    await crashAt('wrap', sale([taking, wrapping, shipping]), 's5');
    answers.take = () => {
      throw refusal('unavailable');
    };
    expect(await end('s5')).toBe('compensated');
    const undone = ['unwrap s5/wrap/undo', 'giveBack s5/take/undo', 'taken back: unavailable'];
    expect(log.filter((line) => line !== 'take s5/take')).toEqual(undone);
  });

  it('is compensated alone when it is refused: the steps after it cannot have happened', async () => {
    await crashAt('wrap', sale([taking, wrapping, shipping]), 's6');
    answers.take = () => {
      throw shop.refuse('gone');
    };
    expect(await end('s6')).toBe('compensated');
    expect(log).toEqual(['take s6/take', 'giveBack s6/take/undo', 'taken back: gone']);
  });

  it('is compensated despite a refusal when it may have been in flight', async () => {
    await crashAt('wrap', sale([taking, wrapping, shipping]), 's8');
    answers.wrap = () => {
      throw shop.refuse('gone');
    };
    expect(await end('s8')).toBe('compensated');
    const undone = ['unwrap s8/wrap/undo', 'giveBack s8/take/undo', 'taken back: gone'];
    expect(log).toEqual(['take s8/take', 'wrap s8/wrap', ...undone]);
  });

  it('is recorded when its process stops', async () => {
    const saga = sale([taking, wrapping, shipping]);
    open(saga);
    let answer = () => {};
    answers = { take: () => new Promise((resolve) => (answer = () => resolve({}))) };
    await runner.start();
    await database.work((unit) => runner.begin(unit, saga, 's7', {}));
    await vi.waitFor(() => expect(log).toEqual(['take s7/take']));
    const stopping = runner.stop();
    answer();
    await stopping;
    expect(await findSaga(database, 's7')).toMatchObject({ step: 1, attempts: 0, owner: null });
    answers = {};
    await runner.start();
    expect(await end('s7')).toBe('done');
    expect(log).toEqual(['take s7/take', 'wrap s7/wrap', 'ship s7/ship']);
  });
});
