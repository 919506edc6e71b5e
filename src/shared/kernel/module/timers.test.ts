import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../context/index.ts';
import type { Database } from '../database/index.ts';
import { Instance, instanceMigrations } from '../leader-election/index.ts';
import { type Log, silentLog } from '../telemetry/index.ts';
import { SharedFile } from '../testing/index.ts';
import type { ModuleUnit, Timer } from './module.ts';
import { startTimers } from './timers.ts';

const everyMs = 1_000;

describe('a timer', () => {
  let file: SharedFile;
  let database: Database;
  let clock: ManualClock;
  let dead: Set<number>;
  let started: Instance[];
  let said: string[];

  beforeEach(() => {
    file = new SharedFile([...instanceMigrations, { name: 'written', sqlite: 'CREATE TABLE written (pid INTEGER)' }]);
    database = file.open();
    clock = new ManualClock();
    dead = new Set();
    started = [];
    said = [];
  });

  afterEach(async () => {
    for (const instance of started) await instance.stop();
    await file.close();
  });

  const log = {
    ...silentLog,
    warn: (_: unknown, text: string) => void said.push(`warn: ${text}`),
    error: (_: unknown, text: string) => void said.push(`error: ${text}`),
  } as unknown as Log;

  async function instance(pid: number): Promise<Instance> {
    const runs = (other: { pid: number }) => !dead.has(other.pid);
    const made = new Instance({ database: file.open(), clock, log: silentLog, host: 'here', pid, runs });
    started.push(made);
    await made.start();
    return made;
  }

  const start = (leader: Instance, run: Timer['run']) =>
    startTimers({
      module: 'sample',
      timers: [{ name: 'tick', everyMs, run }],
      work: (task) => database.work((unit) => task(unit as ModuleUnit)),
      fence: (unit) => leader.fence(unit),
      clock,
      log,
    });

  const writes =
    (pid: number): Timer['run'] =>
    async (unit) =>
      void (await unit.db.run(sql`INSERT INTO written VALUES (${pid})`));

  const written = async () =>
    (await database.db.all<{ pid: number }>(sql`SELECT pid FROM written`)).map((row) => row.pid);

  /** Advances the clock by one interval at a time until `so` is true. */
  const until = (so: () => boolean | Promise<boolean>) =>
    vi.waitFor(
      async () => {
        clock.advance(everyMs);
        expect(await so()).toBe(true);
      },
      { interval: 1 },
    );

  it('runs periodically, and immediately again when more work is left', async () => {
    const leader = await instance(1);
    const at: number[] = [];
    const stop = start(leader, async () => (at.push(clock.now()) === 2 ? 'again' : undefined));
    const begun = clock.now();
    for (let step = 0; at.length < 4; step++) {
      clock.advance(step % 2 === 0 ? 0 : everyMs / 2);
      await turns();
    }
    expect(at.map((time) => time - begun)).toEqual([everyMs, 2 * everyMs, 2 * everyMs, 3 * everyMs]);
    await stop();
  });

  it('logs a failure, and runs again after its interval', async () => {
    const leader = await instance(1);
    let runs = 0;
    const stop = start(leader, async () => {
      if (++runs === 1) throw new Error('no');
      return undefined;
    });
    await until(() => runs === 2);
    expect(said).toEqual(['error: a timer failed; it runs again within a minute']);
    await stop();
  });

  it('writes nothing in a process that is no longer leader, and logs it once', async () => {
    const [one, other] = [await instance(1), await instance(2)];
    const stop = start(one, writes(1));
    await until(async () => (await written()).length > 0);
    dead.add(1);
    expect(await other.look()).toBe(true);
    const before = await written();
    await until(() => said.length > 0);
    const end = clock.now() + 5 * everyMs;
    await until(() => clock.now() > end);
    expect(said).toEqual(['warn: this process leads no more']);
    expect(await written()).toEqual(before);
    await stop();
  });

  it('completes its run when it is stopped, and does not run again', async () => {
    const leader = await instance(1);
    const { promise: goesOn, resolve: goOn } = Promise.withResolvers<void>();
    let running = 0;
    let runs = 0;
    const stop = start(leader, async () => {
      [runs, running] = [runs + 1, running + 1];
      await goesOn;
      running -= 1;
      return undefined;
    });
    await until(() => running === 1);
    const stopped = (async () => {
      await stop();
      return running;
    })();
    goOn();
    expect(await stopped).toBe(0);
    for (let second = 0; second < 5; second++) {
      clock.advance(everyMs);
      await turns();
    }
    expect(runs).toBe(1);
  });
});

/** Lets pending work continue. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
