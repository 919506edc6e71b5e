import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { ManualClock } from '../clock/index.ts';
import { command, contract } from '../contract/index.ts';
import { type Database, openSqlite, type Unit } from '../data/index.ts';
import { refusal } from '../errors/index.ts';
import { createLog } from '../observability/index.ts';
import { type Saga, SagaRunner, type SagaState, sagaMigrations, step } from './index.ts';

const nothing = z.strictObject({});
const act = { input: nothing, output: nothing };
const bank = contract('bank', {
  operations: {
    reserve: command({ about: 'Sets it aside', ...act }),
    release: command({ about: 'Gives it back', ...act }),
    take: command({ about: 'Takes it', ...act }),
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

beforeEach(async () => {
  clock = new ManualClock();
  database = openSqlite('shop', ':memory:', sagaMigrations);
  called = [];
  failing = {};
  runner = new SagaRunner({
    sagas: [purchase as never],
    database,
    work: (task) => database.work(task),
    call: async ({ name }) => {
      called.push(name);
      if (failing[name]) throw failing[name];
      return {};
    },
    clock,
    log: createLog('silent', {}),
  });
  await runner.start();
});

afterEach(async () => {
  await runner.stop();
  await database.close();
});

it('takes a waiting step up at once when its module is back', async () => {
  failing.reserve = refusal('unavailable');
  await begin('p1');
  await attempts('reserve', 1);
  failing = {};
  runner.reached('bank');
  expect(await runner.settled('p1', 1_000)).toBe('done');
  expect(called).toEqual(['reserve', 'reserve', 'take']);
});

it('leaves a step alone that waits for another module', async () => {
  failing.reserve = refusal('unavailable');
  await begin('p1');
  await attempts('reserve', 1);
  runner.reached('post');
  clock.advance(99);
  expect(called).toEqual(['reserve']);
});

it('repeats a step that may have passed the point of no return, instead of taking the others back', async () => {
  failing.take = refusal('timeout');
  await begin('p1');
  await attempts('take', 1);
  await passTime(20_000, 'take');
  expect(called).not.toContain('release');
  failing = {};
  expect(await afterwards('p1')).toBe('done');
});

it('takes everything back when that step is refused', async () => {
  failing.take = refusal('forbidden');
  await begin('p1');
  expect(await runner.settled('p1', 1_000)).toBe('compensated');
  expect(called).toEqual(['reserve', 'take', 'release']);
});

function begin(id: string): Promise<void> {
  return database.work((unit) => runner.begin(unit, purchase, id, {}));
}

/** Resolves when the step was tried so often and what came of it is written down. */
async function attempts(operation: string, count: number): Promise<void> {
  await expect.poll(() => called.filter((name) => name === operation).length).toBeGreaterThanOrEqual(count);
  await database.work(async () => {});
}

/** Lets the time pass in small portions, so that each repeat happens when it is due. */
async function passTime(ms: number, operation: string): Promise<void> {
  for (const end = clock.now() + ms; clock.now() < end; ) {
    const before = called.length;
    clock.advance(5_000);
    await attempts(operation, before);
  }
}

async function afterwards(id: string): Promise<SagaState | undefined> {
  const settled = runner.settled(id, 60_000);
  clock.advance(5_000);
  return settled;
}
