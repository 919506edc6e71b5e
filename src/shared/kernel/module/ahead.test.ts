import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { type CallContext, systemClock } from '../context/index.ts';
import { command, contract, nothing, query } from '../contract/index.ts';
import type { Database } from '../database/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { commandMigrations } from './commands.ts';
import { Dispatcher } from './dispatcher.ts';
import { inSteps, type ModuleUnit, type Steps } from './module.ts';

const done = z.object({ done: z.string() });
const bank = contract('bank', {
  operations: {
    reserve: command({ summary: 'Sample', input: nothing, output: done }),
    charge: command({ summary: 'Sample', input: nothing, output: done }),
    look: query({ summary: 'Sample', input: nothing, output: done }),
  },
});

let folder: string;
let database: Database;
/** Syncs that the disk has not completed. */
let syncs: (() => void)[];
let stalls: boolean;
let begun: string[];
let charged: PromiseWithResolvers<void>;
let dispatcher: Dispatcher;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-ahead-'));
  let now = 0;
  [syncs, stalls, begun, charged] = [[], false, [], Promise.withResolvers()];
  const migrations = [...commandMigrations, { name: 'notes', sqlite: 'CREATE TABLE notes (id INTEGER)' }];
  database = openSqlite('bank', join(folder, 'bank.db'), migrations, undefined, undefined, {
    now: () => now,
    sync: (_, end) => void (stalls ? syncs.push(() => end(null)) : end(null)),
  });
  // No other process has written for long enough.
  await database.work(async ({ db }) => void (await db.run('INSERT INTO notes VALUES (0)')));
  now += 15_000;
  const write = (unit: ModuleUnit) => unit.db.run('INSERT INTO notes VALUES (1)');
  const handlers = {
    async reserve(_: unknown, unit: ModuleUnit) {
      begun.push('reserve');
      await write(unit);
      return { done: 'reserve' };
    },
    charge: inSteps(bank.operations.charge, async (_, { work, answer }) => {
      begun.push('charge');
      await work(async (unit) => answer(unit, { done: 'charge' }));
      await charged.promise;
      return { done: 'charge' };
    }),
    async look() {
      begun.push('look');
      return { done: 'look' };
    },
  };
  const steps = { read: database, work: database.work.bind(database), signal: new AbortController().signal };
  const ahead = database.workAhead.bind(database) as Steps['work'];
  dispatcher = new Dispatcher(bank, handlers as never, steps as never, systemClock, silentLog, ahead);
});

afterEach(async () => {
  goOn();
  charged.resolve();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

function goOn(): void {
  stalls = false;
  for (const end of syncs.splice(0)) end();
}

/** The context of a caller that continues in this process with results that are not on disk yet. */
const ahead = { onDisk: () => database.onDisk() };
const call = (operation: string, context: Partial<CallContext> = {}) =>
  dispatcher.dispatch(operation, {}, { requestId: 'r', caller: 'shop', deadline: Infinity, ...context });

it('answers a command in one unit before it is on disk when its caller continues only in this process', async () => {
  stalls = true;
  expect(await call('reserve', ahead)).toEqual({ done: 'reserve' });
  expect(syncs).toHaveLength(0);
  const told = call('reserve');
  await expect.poll(() => syncs.length).toBe(1);
  expect(await Promise.race([told, 'waits'])).toBe('waits');
  goOn();
  expect(await told).toEqual({ done: 'reserve' });
});

it.each(['look', 'charge'])('begins %s after all data that its caller has seen is on disk', async (operation) => {
  stalls = true;
  await call('reserve', ahead);
  const answer = call(operation, { ...ahead, idempotencyKey: 'k' });
  await expect.poll(() => syncs.length).toBe(1);
  expect(begun).toEqual(['reserve']);
  charged.resolve();
  goOn();
  expect(await answer).toEqual({ done: operation });
  expect(begun).toEqual(['reserve', operation]);
});

it('answers a command in steps right after its commit when its caller continues only in this process', async () => {
  expect(await call('charge', { ...ahead, idempotencyKey: 'k' })).toEqual({ done: 'charge' });
  const repeat = call('charge', { idempotencyKey: 'k' });
  await database.onDisk();
  expect(await Promise.race([repeat, 'waits'])).toBe('waits');
  charged.resolve();
  expect(await repeat).toEqual({ done: 'charge' });
});
