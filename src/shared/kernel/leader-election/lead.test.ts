import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { ManualClock } from '../context/index.ts';
import type { Database } from '../database/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { SharedFile } from '../testing/index.ts';
import { Instance, LeadLost } from './instance.ts';
import { addInstance } from './store.ts';
import { instanceMigrations } from './tables.ts';

/** Several processes on one file. A process may have its own clock, which stands still while the process is paused. */
class Processes {
  readonly file = new SharedFile(instanceMigrations);
  readonly clock = new ManualClock();
  readonly dead = new Set<number>();
  /** The processes whose leader task has begun and not ended. `terms` holds the terms in the order of their begin. */
  readonly leading = new Set<number>();
  readonly terms: number[] = [];
  readonly made: Instance[] = [];
  /** A leader task ends after this promise resolves. */
  ending: Promise<void> = Promise.resolve();
  /** The processes whose leader task cannot begin. */
  readonly broken = new Set<number>();

  add(pid: number, clock = this.clock, database = this.file.open()): Instance {
    const runs = (other: { pid: number }) => !this.dead.has(other.pid);
    const instance = new Instance({ database, clock, log: silentLog, host: 'here', pid, runs });
    instance.whileLeader(async () => {
      if (this.broken.has(pid)) throw new Error('no');
      this.leading.add(pid);
      this.terms.push(instance.term);
      return async () => {
        await this.ending;
        this.leading.delete(pid);
      };
    });
    this.made.push(instance);
    return instance;
  }

  async close(): Promise<void> {
    for (const instance of this.made) await instance.stop();
    await this.file.close();
  }
}

describe('leadership', () => {
  let processes: Processes;
  beforeEach(() => {
    processes = new Processes();
  });
  afterEach(() => processes.close());

  it('is transferred immediately on request', async () => {
    const [one, other] = [processes.add(1), processes.add(2)];
    await one.start();
    await other.start();
    await one.giveUpLead();
    expect([...processes.leading]).toEqual([]);
    expect([await one.look(), await other.look()]).toEqual([false, true]);
    expect([...processes.leading]).toEqual([2]);
    expect(other.term).toBeGreaterThan(one.term);
  });

  it('is not reclaimed by an instance that gave it up, until that is allowed', async () => {
    const one = processes.add(1);
    await one.start();
    await one.giveUpLead();
    expect(await one.look()).toBe(false);
    expect(one.lives).toBe(true);
    await one.takeUp();
    expect([one.leads, one.term]).toEqual([true, 2]);
  });

  it('is free immediately when the leader stops, and the leader may return with a new id', async () => {
    const [one, other] = [processes.add(1), processes.add(2)];
    await one.start();
    await other.start();
    const before = one.id;
    await one.stop();
    expect(await other.look()).toBe(true);
    await one.takeUp();
    expect([one.leads, one.id === before]).toEqual([false, false]);
  });

  it('forbids leader writes of an instance that others removed as dead', async () => {
    const paused = new ManualClock(processes.clock.now());
    const [one, other] = [processes.add(1, paused), processes.add(2)];
    await one.start();
    await other.start();
    const look = processes.file.open();
    await expect(look.work((unit) => one.fence(unit))).resolves.toBeUndefined();
    processes.dead.add(1);
    expect(await other.look()).toBe(true);
    await expect(look.work((unit) => one.fence(unit))).rejects.toThrow(LeadLost);
    await expect(look.work((unit) => other.fence(unit))).resolves.toBeUndefined();
  });

  it('is given up before it is reclaimed when both are requested at once', async () => {
    const [one, other] = [processes.add(1), processes.add(2)];
    await one.start();
    await other.start();
    const ends = hold(processes);
    const told = [one.giveUpLead(), one.takeUp()];
    ends();
    await Promise.all(told);
    expect([await other.look(), await one.look()]).toEqual([false, true]);
    expect([...processes.leading]).toEqual([1]);
    expect(processes.terms).toEqual([1, 2]);
  });

  it.each(['giveUpLead', 'endLeaderTasks', 'stop'] as const)(
    'stays with an instance whose leader task ends later than its lease: %s',
    async (way) => {
      const [one, other] = [processes.add(1), processes.add(2)];
      await one.start();
      await other.start();
      const ends = hold(processes);
      const going = one[way]();
      for (let second = 0; second < 90; second++) {
        processes.clock.advance(1_000);
        expect([await other.look(), one.lives]).toEqual([false, true]);
      }
      expect([...processes.leading]).toEqual([1]);
      ends();
      await going;
      if (way === 'endLeaderTasks') await one.stop();
      expect(await other.look()).toBe(true);
      expect([...processes.leading]).toEqual([2]);
    },
  );

  it('goes to another instance when the leader task cannot begin', async () => {
    const [one, other] = [processes.add(1), processes.add(2)];
    processes.broken.add(1);
    await one.start();
    await other.start();
    expect([one.leads, other.leads]).toEqual([false, true]);
    processes.broken.clear();
    await other.giveUpLead();
    expect(await one.look()).toBe(true);
  });

  it('is claimed by one instance only, also while a paused one returns', async () => {
    const paused = new ManualClock(processes.clock.now());
    const [one, other] = [processes.add(1, paused), processes.add(2)];
    await one.start();
    await other.start();
    processes.clock.advance(31_000);
    expect(await other.look()).toBe(true);
    const before = one.id;
    paused.advance(31_000);
    const back = one.look();
    const said: boolean[] = [];
    for (let turn = 0; turn < 1_000; turn++) {
      said.push(one.leads);
      await Promise.resolve();
    }
    expect(await back).toBe(false);
    expect(one.id).not.toBe(before);
    expect(new Set(said)).toEqual(new Set([false]));
  });

  it('ends for an instance with a slow clock before others may take it', async () => {
    const [behind, ahead] = [new ManualClock(0), new ManualClock(4_000)];
    const [one, other] = [processes.add(1, behind), processes.add(2, ahead)];
    await one.start();
    await other.start();
    ahead.advance(26_500);
    expect(await other.look()).toBe(true);
    behind.advance(26_500);
    expect(one.leads).toBe(false);
    expect(await one.look()).toBe(false);
    expect([...processes.leading]).toEqual([2]);
  });

  it('returns immediately to a paused instance when there is no other', async () => {
    const one = processes.add(1);
    await one.start();
    processes.clock.advance(26_000);
    expect([one.leads, await one.look(), one.alone]).toEqual([false, true, true]);
  });

  it('starts a new term when an instance loses it and gets it again', async () => {
    const paused = new ManualClock(processes.clock.now());
    const [one, other] = [processes.add(1, paused), processes.add(2)];
    await one.start();
    await other.start();
    processes.clock.advance(31_000);
    expect(await other.look()).toBe(true);
    await other.stop();
    paused.advance(31_000);
    expect(await one.look()).toBe(true);
    expect(processes.terms).toEqual([1, 2, 3]);
  });

  it('is recognized from its row when the answer to the takeover was lost', async () => {
    const database = processes.file.open();
    let deaf = false;
    const work: Database['work'] = async (task) => {
      const outcome = await database.work(task);
      if (deaf) throw new Error('the answer was lost');
      return outcome;
    };
    const [one, other] = [processes.add(1), processes.add(2, processes.clock, { ...database, work })];
    await one.start();
    await other.start();
    await one.giveUpLead();
    deaf = true;
    await other.look();
    deaf = false;
    expect(await other.look()).toBe(true);
    await expect(database.work((unit) => other.fence(unit))).resolves.toBeUndefined();
  });

  it('is free in old data without a leadership row', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'kerf-lead-')), 'old.db');
    const before = openSqlite('old', file, instanceMigrations.slice(0, 1));
    const now = processes.clock.now();
    const old = { id: '00000000-0000-7000-8000-000000000000', host: 'there', pid: 9, until: now + 30_000, since: now };
    await before.work((unit) => addInstance(unit, old));
    await before.close();
    const database = openSqlite('old', file, instanceMigrations);
    const one = processes.add(1, processes.clock, database);
    await one.start();
    expect([one.leads, one.alone, one.term]).toEqual([true, false, 1]);
    await one.stop();
    await database.close();
  });
});

/** Keeps leader tasks from ending until the caller calls the returned function. */
function hold(processes: Processes): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  processes.ending = promise;
  return resolve;
}
