import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { type CallContext, Cancellation, currentContext, ManualClock, runInContext } from '../context/index.ts';
import { command, contract } from '../contract/index.ts';
import type { Database, Unit } from '../database/index.ts';
import { Refusal, refusal } from '../errors/index.ts';
import { instanceMigrations } from '../leader-election/index.ts';
import { fromTraceFields, silentLog, toTraceFields } from '../telemetry/index.ts';
import { SagaRunner } from './runner.ts';
import { type Saga, step } from './saga.ts';
import { findSaga } from './store.ts';
import { type SagaState, sagaMigrations } from './tables.ts';

const nothing = z.strictObject({});
const act = { input: nothing, output: nothing };
const bank = contract('bank', {
  operations: {
    reserve: command({ summary: 'Sets it aside', ...act }),
    release: command({ summary: 'Gives it back', ...act }),
    take: command({ summary: 'Takes it', ...act }),
  },
});

const purchase: Saga<object, Unit> = {
  name: 'purchase',
  version: 1,
  data: nothing,
  deadlineMs: 10_000,
  steps: [
    step('reserve')
      .call(bank.operations.reserve, () => ({}))
      .compensate(bank.operations.release, () => ({})),
    step('take')
      .call(bank.operations.take, () => ({}))
      .thenNoReturn(),
  ],
};

let clock: ManualClock;
let database: Database;
let called: string[];
let failing: Record<string, Error>;
let runner: SagaRunner<Unit>;
/** The context in which the saga made each call. */
let calledIn: CallContext[];

beforeEach(async () => {
  clock = new ManualClock();
  database = openSqlite('shop', join(mkdtempSync(join(tmpdir(), 'kerf-saga-')), 'shop.db'), [
    ...instanceMigrations,
    ...sagaMigrations,
  ]);
  called = [];
  calledIn = [];
  failing = {};
  runner = new SagaRunner({
    module: 'sample',
    sagas: [purchase as never],
    database,
    instance: { id: 'one', lives: true },
    work: (task) => database.work(task),
    call: async ({ name }) => {
      called.push(name);
      calledIn.push(currentContext()!);
      if (failing[name]) throw failing[name];
      return {};
    },
    clock,
    log: silentLog,
  });
  await runner.start();
});

afterEach(async () => {
  await runner.stop();
  await database.close();
});

it('a saga calls outside every request, with the trace of its start', async () => {
  failing.reserve = refusal('unavailable');
  const cancellation = new Cancellation();
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const fields = { traceparent, tracestate: 'vendor=kept', baggage: 'tenant=blue' };
  const trace = fromTraceFields(fields)!;
  const request = { requestId: 'r1', caller: 'gateway', deadline: clock.now(), cancellation, trace };
  await runInContext(request, begin);
  cancellation.cancel();
  await waits();
  failing = {};
  runInContext(request, () => runner.remoteReachable('bank'));
  await expect.poll(state, often).toBe('done');
  const nobody = { requestId: 'p1', caller: 'kernel', deadline: Number.POSITIVE_INFINITY, trace: expect.anything() };
  expect(calledIn).toEqual([nobody, nobody, nobody]);
  expect(calledIn.map((context) => toTraceFields(context.trace))).toEqual([fields, fields, fields]);
});

it('a waiting step continues immediately when its module is reachable again', async () => {
  failing.reserve = refusal('unavailable');
  await begin();
  await waits();
  failing = {};
  runner.remoteReachable('bank');
  await expect.poll(state, often).toBe('done');
  expect(called).toEqual(['reserve', 'reserve', 'take']);
});

it('a saga continues soon when a wrong clock has set its next attempt hours ahead', async () => {
  failing.reserve = refusal('timeout');
  await begin();
  await waits();
  const later = sql`UPDATE kerf_sagas SET next_attempt_at = next_attempt_at + 7200000`;
  await database.work(async (unit) => void (await unit.db.run(later)));
  failing = {};
  clock.advance(1_000);
  await expect.poll(state, often).toBe('done');
});

it('a saga compensates after its real deadline when a wrong clock has set it hours ahead', async () => {
  failing.reserve = refusal('timeout');
  await begin();
  await waits();
  const later = sql`UPDATE kerf_sagas SET deadline = deadline + 7200000`;
  await database.work(async (unit) => void (await unit.db.run(later)));
  await passes(clock.now() + 2 * purchase.deadlineMs!);
  await expect.poll(afterASecond(state), often).toBe('compensated');
});

it('a refused step is compensated when an earlier attempt may have taken effect', async () => {
  failing.reserve = refusal('timeout');
  await begin();
  await waits();
  failing.reserve = new Refusal('sold-out', 409, 'Sold out');
  runner.remoteReachable('bank');
  await expect.poll(state, often).toBe('compensated');
  expect(called).toEqual(['reserve', 'reserve', 'release']);
});

it('a step waits on while another module becomes reachable', async () => {
  failing.reserve = refusal('unavailable');
  await begin();
  await waits();
  runner.remoteReachable('post');
  await runner.stop();
  expect(called).toEqual(['reserve']);
});

it('a step that may have passed the point of no return is repeated, and nothing is compensated', async () => {
  failing.take = refusal('timeout');
  await begin();
  await waits();
  const end = clock.now() + 2 * purchase.deadlineMs!;
  await passes(end);
  failing = {};
  await expect.poll(afterASecond(state), often).toBe('done');
  expect(called).not.toContain('release');
});

it('everything is compensated when that step is refused', async () => {
  failing.take = new Refusal('sold-out', 409, 'Sold out');
  await begin();
  await expect.poll(state, often).toBe('compensated');
  expect(called).toEqual(['reserve', 'take', 'release']);
});

const often = { interval: 5 };

function begin(): Promise<void> {
  return database.work((unit) => runner.begin(unit, purchase, 'p1', {}));
}

async function state(): Promise<SagaState | undefined> {
  return (await findSaga(database, 'p1'))?.state;
}

/** Resolves when the saga has recorded a failure of its step. */
async function waits(): Promise<void> {
  await expect.poll(async () => (await findSaga(database, 'p1'))?.attempts, often).toBe(1);
}

/** Lets time pass until `end`, one second per look. */
async function passes(end: number): Promise<void> {
  await expect
    .poll(
      afterASecond(() => clock.now() > end),
      often,
    )
    .toBe(true);
}

/** Advances the clock by a second before each look, so that retries fall due between two looks. */
function afterASecond<T>(look: () => T): () => T {
  return () => {
    clock.advance(1_000);
    return look();
  };
}
