import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { ManualClock } from '../context/index.ts';
import type { Database, Unit } from '../database/index.ts';
import { instanceMigrations } from '../leader-election/index.ts';
import type { Log } from '../telemetry/index.ts';
import { SagaRunner } from './runner.ts';
import { type Saga, step } from './saga.ts';
import { findSaga } from './store.ts';
import { sagaMigrations, sagaTables } from './tables.ts';

const nothing = z.strictObject({});

interface Run {
  readonly key: string;
  readonly signal?: AbortSignal;
  readonly end: PromiseWithResolvers<unknown>;
}

let clock: ManualClock;
let database: Database;
let runs: Run[];
let lines: { level: string; message: string; error?: Error; step?: string; suppressed?: number }[];
let runner: SagaRunner<Unit>;

const begun = (key: string, signal?: AbortSignal) => {
  const run = { key, signal, end: Promise.withResolvers<unknown>() };
  runs.push(run);
  return run.end.promise;
};
const sagaOf = (steps: Saga['steps'], deadlineMs?: number): Saga<never, Unit> =>
  ({ name: 'order', version: 1, data: nothing, steps, deadlineMs }) as never;
const handing = sagaOf([step('hand over').run((_, key, signal) => begun(key, signal))]);

beforeEach(() => {
  clock = new ManualClock();
  const file = join(mkdtempSync(join(tmpdir(), 'kerf-saga-')), 'shop.db');
  database = openSqlite('shop', file, [...instanceMigrations, ...sagaMigrations]);
  runs = [];
  lines = [];
});
afterEach(async () => {
  for (const { end } of runs) end.resolve({});
  await runner.stop();
  await database.close();
});

function open(saga: Saga<never, Unit>): void {
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
  runner = new SagaRunner({
    module: 'sample',
    sagas: [saga],
    database,
    instance: { id: 'one', lives: true },
    work: (task) => database.work(task),
    call: async () => ({}),
    clock,
    log: { error: at('error'), warn: at('warn'), info: at('info') } as unknown as Log,
  });
}

async function start(saga: Saga<never, Unit>): Promise<void> {
  open(saga);
  await runner.start();
}

const begin = (saga: Saga<never, Unit>) =>
  database.work((unit) => runner.begin(unit, saga as never, 'o1', {} as never));
const row = async () => (await findSaga(database, 'o1'))!;

async function passUntil(done: () => boolean | Promise<boolean>, stepMs = 500) {
  while (!(await done())) {
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(stepMs);
  }
}

describe('a hanging step', () => {
  it('times out, which counts as an attempt, and is repeated with the same key', async () => {
    await start(handing);
    await begin(handing);
    const since = clock.now();
    await passUntil(async () => (await row()).attempts === 1);
    expect(clock.now() - since).toBeGreaterThanOrEqual(60_000);
    expect((await row()).lastError).toBe('"hand over" took longer than 60 s');
    await passUntil(() => runs.length === 2);
    expect(runs[1]!.key).toBe(runs[0]!.key);
    runs[1]!.end.resolve({});
    await passUntil(async () => (await row()).state === 'done');
  });

  it('is cancelled at its timeout, and a later result is ignored', async () => {
    await start(handing);
    await begin(handing);
    await passUntil(async () => (await row()).attempts === 1);
    expect(runs[0]!.signal!.aborted).toBe(true);
    runs[0]!.end.resolve({});
    await passUntil(() => runs.length === 2);
    expect(await row()).toMatchObject({ state: 'running', step: 0 });
    expect(runs[1]!.signal!.aborted).toBe(false);
  });

  it('does not keep the runner from stopping', async () => {
    await start(handing);
    await begin(handing);
    await passUntil(() => runs.length === 1);
    let stopped = false;
    void runner.stop().then(() => {
      stopped = true;
    });
    await passUntil(() => stopped, 5_000);
  });
});

describe('a step that kills its process', () => {
  /** Starts the runner after the process that ran the saga has ended for the given number of times. */
  async function endFor(times: number, saga: Saga<never, Unit>): Promise<void> {
    open(saga);
    await begin(saga);
    const { sagas } = sagaTables(database);
    await database.work(async (unit) => {
      await unit.db
        .update(sagas)
        .set({ owner: 'gone', attempts: times - 1 })
        .where(eq(sagas.id, 'o1'));
    });
    await runner.start();
  }

  it('makes the saga stuck after twelve times', async () => {
    await endFor(12, handing);
    await passUntil(async () => (await row()).state === 'stuck');
    expect(runs).toEqual([]);
    expect(await row()).toMatchObject({ lastError: 'its process ended while its step ran' });
  });

  it('starts the compensation after twelve times, if possible', async () => {
    await endFor(12, sagaOf(handing.steps, 100_000));
    await passUntil(async () => (await row()).state === 'compensated');
    expect(runs).toEqual([]);
  });

  it('is retried up to that limit', async () => {
    await endFor(11, handing);
    await passUntil(() => runs.length === 1);
  });
});

it('logs the first failure of a step with its stack, and counts the next ones', async () => {
  await start(handing);
  await begin(handing);
  for (let times = 0; times < 4; times++) {
    await passUntil(() => runs.length > times, 50);
    runs[times]!.end.reject(new Error(`no paper, ${times}`));
  }
  const failures = () => lines.filter(({ message }) => message === 'a step of a saga failed');
  await passUntil(async () => (await row()).attempts >= 4, 50);
  expect(failures()).toEqual([
    expect.objectContaining({ level: 'error', saga: 'o1', name: 'order', step: 'hand over' }),
  ]);
  expect(failures()[0]!.error!.stack).toContain('hanging.test.ts');
});
