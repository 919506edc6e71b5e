import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../context/index.ts';
import type { Database } from '../database/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { SharedFile } from '../testing/index.ts';
import { Instance, type InstanceDependencies } from './instance.ts';
import { addInstance, listInstances, removeInstances, takeLead } from './store.ts';
import { instanceMigrations } from './tables.ts';

describe('an instance', () => {
  let file: SharedFile;
  let clock: ManualClock;
  let dead: Set<number>;
  let log: string[];
  let look: Database;
  let started: Instance[];
  let broken: boolean;

  beforeEach(() => {
    file = new SharedFile(instanceMigrations);
    look = file.open();
    clock = new ManualClock();
    dead = new Set();
    log = [];
    started = [];
    broken = false;
  });

  afterEach(async () => {
    for (const instance of started) await instance.stop();
    await file.close();
  });

  /** Returns an instance with its own connection, as in a separate process. */
  function instance(pid: number, parts: Partial<InstanceDependencies> = {}): Instance {
    const database = file.open();
    const runs = (other: { pid: number }) => !dead.has(other.pid);
    const made = new Instance({ database, clock, log: silentLog, host: 'here', pid, runs, ...parts });
    made.whileLeader(async () => {
      if (broken) throw new Error('no');
      log.push(`${pid} leads`);
      return () => void log.push(`${pid} leads no more`);
    });
    return made;
  }

  async function start(pid: number, parts: Partial<InstanceDependencies> = {}): Promise<Instance> {
    const made = instance(pid, parts);
    started.push(made);
    await made.start();
    return made;
  }

  const pids = async () => (await listInstances(look, clock.now())).map(({ pid }) => pid);

  /** Lets time pass, a second per look, until `so` holds. */
  async function until(so: () => boolean | Promise<boolean>): Promise<void> {
    await vi.waitFor(
      async () => {
        clock.advance(1_000);
        expect(await so()).toBe(true);
      },
      { interval: 5 },
    );
  }

  it('becomes leader immediately when it is alone', async () => {
    const alone = await start(1);
    expect(alone.leads).toBe(true);
    expect(log).toEqual(['1 leads']);
  });

  it('joins again as soon as its data can be written', async () => {
    const database = file.open();
    let full = false;
    const work: Database['work'] = (task) => (full ? Promise.reject(new Error('no room')) : database.work(task));
    const alone = await start(1, { database: { ...database, work } });
    await alone.stop();
    full = true;
    await alone.takeUp();
    expect(alone.leads).toBe(false);
    full = false;
    await until(() => alone.leads);
    expect(await pids()).toEqual([1]);
  });

  it('leaves leadership to an older instance until that one stops', async () => {
    const first = await start(1);
    const second = await start(2);
    clock.advance(5_000);
    expect([first.leads, second.leads]).toEqual([true, false]);
    await first.stop();
    await until(() => second.leads);
    expect(log).toEqual(['1 leads', '1 leads no more', '2 leads']);
  });

  it('removes a dead instance of the same host at its start, and becomes leader', async () => {
    await start(1);
    dead.add(1);
    const second = await start(2);
    expect(second.leads).toBe(true);
    expect(await pids()).toEqual([2]);
  });

  it('detects a dead instance at its next check', async () => {
    await start(1);
    const second = await start(2);
    dead.add(1);
    await until(() => second.leads);
    expect(await pids()).toContain(2);
  });

  it('waits for the lease of an instance on another host to expire', async () => {
    const paused = new ManualClock(clock.now());
    await start(1, { host: 'there', clock: paused });
    dead.add(1);
    const second = await start(2);
    clock.advance(29_000);
    expect(second.leads).toBe(false);
    await until(() => second.leads);
  });

  describe('after its clock was hours ahead', () => {
    let aheadMs: number;
    const stepping = () => ({
      now: () => clock.now() + aheadMs,
      after: (delayMs: number, task: () => void) => clock.after(delayMs, task),
    });

    beforeEach(() => {
      aheadMs = 7_200_000;
    });

    it('counts as alive for at most one more lease when it died', async () => {
      const paused = new ManualClock(clock.now() + aheadMs);
      await start(1, { host: 'there', clock: paused });
      aheadMs = 0;
      const second = await start(2, { clock: stepping() });
      clock.advance(34_000);
      expect(second.leads).toBe(false);
      await until(() => second.leads);
    });

    it('renews its lease immediately, and stays', async () => {
      const first = await start(1, { host: 'there', clock: stepping() });
      const second = await start(2, { clock: stepping() });
      aheadMs = 0;
      expect([first.lives, first.leads]).toEqual([false, false]);
      for (let seconds = 0; seconds < 90; seconds++) {
        clock.advance(1_000);
        expect([await second.look(), await first.look()]).toEqual([false, true]);
      }
      expect(log).toEqual(['1 leads']);
    });
  });

  it('stays by renewing its lease', async () => {
    const only = await start(1);
    const end = clock.now() + 90_000;
    await until(() => clock.now() > end);
    expect([only.lives, only.leads, await pids()]).toEqual([true, true, [1]]);
    expect(log).toEqual(['1 leads']);
  });

  it('ends its leader task after a pause beyond its lease, and returns as the youngest', async () => {
    const paused = new ManualClock(clock.now());
    const first = await start(1, { clock: paused });
    const before = first.id;
    const second = await start(2);
    await until(() => second.leads);
    expect(log).toEqual(['1 leads', '2 leads']);
    paused.advance(clock.now() - paused.now());
    expect([first.leads, first.lives]).toEqual([false, false]);
    await vi.waitFor(() => expect(log.at(-1)).toBe('1 leads no more'));
    paused.advance(1_000);
    await vi.waitFor(() => expect(first.lives).toBe(true));
    expect(first.id > second.id).toBe(true);
    expect(first.id).not.toBe(before);
    expect(second.leads).toBe(true);
  });

  it('registers again after others removed it as dead', async () => {
    const only = await start(1);
    await look.work((unit) => removeInstances(unit, [only.id]));
    await until(async () => (await pids()).includes(1));
    await until(() => only.leads);
  });

  it('retries when its leader task could not begin', async () => {
    broken = true;
    const only = await start(1);
    expect(only.leads).toBe(false);
    broken = false;
    await until(() => log.includes('1 leads'));
  });

  describe('with its own locks', () => {
    /** Starts an instance as in a container, where all processes have the same process id. */
    async function contained(): Promise<Instance> {
      const made = new Instance({ database: file.open(), clock, log: silentLog, host: 'here', pid: 1 });
      started.push(made);
      await made.start();
      return made;
    }

    const leave = async (id: string, lock: 'free' | 'none') => {
      const row = { id, host: 'here', pid: 1, until: clock.now() + 30_000, since: 0 };
      await look.work((unit) => addInstance(unit, row));
      if (lock === 'free') writeFileSync(join(file.locks, id), '');
    };

    it('appears alive to another instance with the same host and process id', async () => {
      const [first, second] = [await contained(), await contained()];
      for (let second = 0; second < 90; second++) {
        clock.advance(1_000);
        await first.look();
      }
      expect([await first.look(), await second.look(), first.leads]).toEqual([true, false, true]);
      await first.stop();
      expect(await second.look()).toBe(true);
      expect(readdirSync(file.locks)).toEqual([second.id]);
    });

    it('treats a row with its host and process id as dead when its lock is free', async () => {
      const first = await contained();
      await first.stop();
      await leave('00000000-0000-7000-8000-000000000000', 'free');
      const alive = await contained();
      expect([alive.leads, (await listInstances(look, clock.now())).map(({ id }) => id)]).toEqual([true, [alive.id]]);
      expect(readdirSync(file.locks)).toEqual([alive.id]);
    });

    it('waits for the lease of an instance without a lock to expire', async () => {
      const id = '00000000-0000-7000-8000-000000000000';
      await leave(id, 'none');
      await look.work((unit) => takeLead(unit, id, clock.now()));
      const second = await contained();
      clock.advance(29_000);
      expect(await second.look()).toBe(false);
      await until(() => second.leads);
    });

    it('holds a new lock after it lost its lease', async () => {
      const only = await contained();
      const before = only.id;
      clock.advance(31_000);
      await only.look();
      expect([only.id === before, readdirSync(file.locks)]).toEqual([false, [only.id]]);
    });
  });
});
