import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { ManualClock, setTrap } from '../context/index.ts';
import { command, contract } from '../contract/index.ts';
import type { Database, Unit } from '../database/index.ts';
import { refusal } from '../errors/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { addAnswer, commandMigrations, forgetAnswers, keyedCommand } from './commands.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Steps } from './module.ts';

const name = z.object({ name: z.string() });
const guests = contract('guests', {
  operations: { enter: command({ summary: 'Writes a guest down', input: name, output: z.object({ seat: z.int() }) }) },
  errors: { full: { status: 409, title: 'The house is full' } },
});

/** A guest list, and a table of answers that refuses an answer for the key `poison`. */
const migrations = [
  ...commandMigrations,
  {
    name: 'guests',
    sqlite: `
      CREATE TABLE guests (name TEXT NOT NULL);
      CREATE TRIGGER poison BEFORE INSERT ON kerf_commands WHEN NEW.key LIKE '%/poison'
      BEGIN SELECT RAISE(ABORT, 'not remembered'); END;
    `,
  },
];
const dayMs = 24 * 60 * 60_000;

describe('a command with a key', () => {
  const clock = new ManualClock();
  let database: Database;
  let dispatcher: Dispatcher;
  let full: boolean;

  beforeEach(() => {
    full = false;
    database = openSqlite('guests', join(mkdtempSync(join(tmpdir(), 'kerf-commands-')), 'guests.db'), migrations);
    const steps = { read: database, work: database.work.bind(database) };
    const handlers = {
      async enter(input: z.infer<typeof name>, unit: Unit) {
        await unit.db.run(sql`INSERT INTO guests VALUES (${input.name})`);
        if (full) throw guests.refuse('full');
        return { seat: (await list(unit)).length };
      },
    };
    dispatcher = new Dispatcher(guests, handlers as never, steps as never, clock, silentLog);
  });

  afterEach(() => database.close());

  const list = (reader: { db: Database['db'] }) => reader.db.all<{ name: string }>(sql`SELECT name FROM guests`);

  const enter = (idempotencyKey: string, guest = 'Ann', caller = 'door') =>
    dispatcher.dispatch('enter', { name: guest }, { requestId: 'r', caller, deadline: Infinity, idempotencyKey });

  it('takes effect once, and a repeat gets the first answer', async () => {
    expect(await enter('k')).toEqual({ seat: 1 });
    await enter('other', 'Bo');
    expect(await enter('k')).toEqual({ seat: 1 });
    expect(await list(database)).toHaveLength(2);
  });

  it('is a different command for each caller', async () => {
    await enter('k');
    expect(await enter('k', 'Bo', 'gate')).toEqual({ seat: 2 });
  });

  it('has no effect when its answer cannot be recorded: both are one commit', async () => {
    await expect(enter('poison')).rejects.toMatchObject({ code: 'internal' });
    expect(await list(database)).toEqual([]);
  });

  it('runs again after a refusal, because refusals are not recorded', async () => {
    full = true;
    await expect(enter('k')).rejects.toMatchObject({ code: 'full' });
    full = false;
    expect(await enter('k')).toEqual({ seat: 1 });
  });

  it.each(['kerf_commands', 'kerf_step_answers'])(
    'finds the answer and the input in %s of an earlier release',
    async (table) => {
      const before = createHash('sha256').update('{"name":"Ann"}').digest('base64url');
      await database.work(async (unit) => {
        await unit.db.run(
          sql`INSERT INTO ${sql.identifier(table)} VALUES ('door/enter/k', ${before}, '{"seat":7}', ${clock.now()})`,
        );
      });
      expect(await enter('k')).toEqual({ seat: 7 });
      await expect(enter('k', 'Bo')).rejects.toMatchObject({ code: 'invalid-input' });
    },
  );

  it('is recorded for seven days', async () => {
    await enter('k');
    clock.advance(7 * dayMs);
    expect(await database.work((unit) => forgetAnswers(unit, clock.now(), 10))).toBe(0);
    expect(await enter('k')).toEqual({ seat: 1 });
    clock.advance(1);
    expect(await database.work((unit) => forgetAnswers(unit, clock.now(), 10))).toBe(1);
    expect(await enter('k')).toEqual({ seat: 2 });
  });
});

it('a command has one first answer, also beside a process of the previous release, which records it elsewhere', async () => {
  const database = openSqlite('shop', join(mkdtempSync(join(tmpdir(), 'kerf-answers-')), 'shop.db'), commandMigrations);
  const given = { caller: 'door', operation: 'open', sent: {}, input: {} };
  const command = (idempotencyKey: string) => keyedCommand({ ...given, idempotencyKey });
  const add = (key: string) => database.work((unit) => addAnswer(unit, command(key), 'seen', 0));
  await database.work(async (unit) => {
    await unit.db.run(sql`INSERT INTO kerf_step_answers VALUES ('door/open/old', '', '"other"', 0)`);
  });
  expect([await add('old'), await add('new'), await add('new')]).toEqual([false, true, false]);
  await database.close();
});

const keyed = { requestId: 'r', caller: 'door', deadline: Number.POSITIVE_INFINITY, idempotencyKey: 'k' };

describe('a command in steps, repeated while it is in flight', () => {
  const shop = contract('shop', {
    operations: { open: command({ summary: 'Opens', input: name, output: z.object({ name: z.string() }) }) },
  });
  let database: Database;

  beforeEach(() => {
    database = openSqlite('shop', join(mkdtempSync(join(tmpdir(), 'kerf-steps-')), 'shop.db'), commandMigrations);
  });

  afterEach(() => database.close());

  /** Calls `open` twice with one key. Each run settles with the next of the `outcomes`. */
  function called(outcomes: Promise<{ name: string }>[]) {
    let runs = 0;
    const steps = { read: database, work: database.work.bind(database), signal: new AbortController().signal };
    const open = { inSteps: async () => outcomes[runs++] };
    const dispatcher = new Dispatcher(shop, { open } as never, steps as never, new ManualClock(), silentLog);
    const context = { requestId: 'r', caller: 'door', deadline: Infinity, idempotencyKey: 'k' };
    const [first, second] = [1, 2].map(() => dispatcher.dispatch('open', { name: 'Ann' }, context));
    return { first, second, runs: () => runs };
  }

  it('gets the answer of the first run', async () => {
    const { first, second, runs } = called([Promise.resolve({ name: 'Ann' })]);
    expect([await first, await second, runs()]).toEqual([{ name: 'Ann' }, { name: 'Ann' }, 1]);
  });

  it('gets the refusal of the first run', async () => {
    const { first, second, runs } = called([Promise.reject(refusal('invalid-input', 'no'))]);
    await expect(first).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(second).rejects.toMatchObject({ code: 'invalid-input' });
    expect(runs()).toBe(1);
  });

  it('runs again beside a hanging run after the deadline of the first call', async () => {
    const clock = new ManualClock(Date.now());
    const steps = { read: database, work: database.work.bind(database), signal: new AbortController().signal };
    let runs = 0;
    const open = { inSteps: () => (++runs === 1 ? new Promise(() => {}) : Promise.resolve({ name: 'second' })) };
    const dispatcher = new Dispatcher(shop, { open } as never, steps as never, clock, silentLog);
    const call = (ms: number) => dispatcher.dispatch('open', { name: 'Ann' }, { ...keyed, deadline: Date.now() + ms });
    void call(5_000);
    await expect.poll(() => runs).toBe(1);
    clock.advance(4_000);
    const waits = call(60_000);
    clock.advance(1_000);
    expect([await call(5_000), runs]).toEqual([{ name: 'second' }, 2]);
    expect(await Promise.race([waits, 'still waits'])).toBe('still waits');
  });

  it('runs again when the first call was cancelled or timed out', async () => {
    for (const code of ['cancelled', 'timeout'] as const) {
      const { first, second, runs } = called([Promise.reject(refusal(code)), Promise.resolve({ name: code })]);
      await expect(first).rejects.toMatchObject({ code });
      expect([await second, runs()]).toEqual([{ name: code }, 2]);
      await database.work(async (unit) => void (await unit.db.run(sql`DELETE FROM kerf_commands`)));
    }
  });
});

describe('a command in steps whose process dies', () => {
  const shop = contract('shop', {
    operations: { open: command({ summary: 'Opens', input: name, output: z.object({ run: z.int() }) }) },
  });
  const migrations = [...commandMigrations, { name: 'opened', sqlite: 'CREATE TABLE opened (run INTEGER NOT NULL)' }];
  let database: Database;
  let runs: number;
  let after: () => Promise<void>;

  beforeEach(() => {
    database = openSqlite('shop', join(mkdtempSync(join(tmpdir(), 'kerf-steps-')), 'shop.db'), migrations);
    runs = 0;
    after = async () => {};
  });

  afterEach(() => database.close());

  /** Starts a new process on the same data. `answers`: whether its command records its answer with its effect. */
  function started(answers = true) {
    const steps = { read: database, work: database.work.bind(database), signal: new AbortController().signal };
    const open = async (_: unknown, { work, answer }: Steps) => {
      const run = ++runs;
      await work(async (unit) => {
        await unit.db.run(sql`INSERT INTO opened VALUES (${run})`);
        if (answers) await answer(unit, { run });
      });
      await after();
      return { run };
    };
    const handlers = { open: { inSteps: open } } as never;
    const dispatcher = new Dispatcher(shop, handlers, steps as never, new ManualClock(), silentLog);
    const context = { requestId: 'r', caller: 'door', deadline: Infinity, idempotencyKey: 'k' };
    return (guest = 'Ann') => dispatcher.dispatch('open', { name: guest }, context);
  }

  const opened = async () =>
    (await database.db.all<{ run: number }>(sql`SELECT run FROM opened`)).map(({ run }) => run);

  /** Kills the process at the crash point `point`: its code stops there, and no caller gets an answer. */
  async function dies(call: () => Promise<unknown>, point: string): Promise<void> {
    const died = new Promise<void>((resolve) => {
      setTrap((reached) => {
        if (reached !== point) return;
        setTrap(undefined);
        resolve();
        throw new Error('dead');
      });
    });
    onTestFinished(() => setTrap(undefined));
    await Promise.all([died, call().catch(() => {})]);
  }

  it('runs again when it died before the commit of its effect', async () => {
    await dies(started(), 'command/shop/open/handled');
    expect([await started()(), await opened()]).toEqual([{ run: 2 }, [2]]);
  });

  it('gets the first answer and runs no step when it died after that commit', async () => {
    await dies(started(), 'command/shop/open/committed');
    expect([await started()(), await opened(), runs]).toEqual([{ run: 1 }, [1], 1]);
    await expect(started()('Bo')).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('runs again when its effect does not record its answer', async () => {
    await dies(started(false), 'command/shop/open/committed');
    expect([await started(false)(), await opened()]).toEqual([{ run: 2 }, [1, 2]]);
  });

  it('gets the first answer even if a later step fails', async () => {
    after = () => Promise.reject(refusal('timeout'));
    const call = started();
    expect([await call(), await call(), await opened()]).toEqual([{ run: 1 }, { run: 1 }, [1]]);
  });

  it('takes effect once, with one answer, when it runs in two processes at a time', async () => {
    const answers = await Promise.all([started()(), started()()]);
    expect([answers[0], await opened()]).toEqual([answers[1], [(answers[0] as { run: number }).run]]);
  });

  it('is recorded for seven days', async () => {
    await started()();
    const end = new ManualClock().now() + 7 * dayMs;
    expect(await database.work((unit) => forgetAnswers(unit, end, 10))).toBe(0);
    expect(await database.work((unit) => forgetAnswers(unit, end + 1, 10))).toBe(1);
    expect(await started()()).toEqual({ run: 2 });
  });
});
