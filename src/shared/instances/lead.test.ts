import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../clock/index.ts';
import { silentLog } from '../observability/index.ts';
import { SharedFile } from '../testing/index.ts';
import { Instance, instanceMigrations, LeadLost } from './index.ts';

/** Several processes on one file, each with a clock of its own that stands still while it is paused. */
class Processes {
  readonly file = new SharedFile(instanceMigrations);
  readonly clock = new ManualClock();
  readonly dead = new Set<number>();
  /** Who leads by what it has begun and not ended, and the terms in the order they were begun. */
  readonly leading = new Set<number>();
  readonly terms: number[] = [];
  readonly made: Instance[] = [];

  add(pid: number, clock = this.clock): Instance {
    const instance = new Instance({
      ...{ database: this.file.open(), clock, log: silentLog, host: 'here', pid },
      runs: (other) => !this.dead.has(other.pid),
    });
    instance.whileLeading(async () => {
      this.leading.add(pid);
      this.terms.push(instance.term);
      return () => void this.leading.delete(pid);
    });
    this.made.push(instance);
    return instance;
  }

  async close(): Promise<void> {
    for (const instance of this.made) await instance.stop();
    await this.file.close();
  }
}

describe('the lead', () => {
  let processes: Processes;
  beforeEach(() => {
    processes = new Processes();
  });
  afterEach(() => processes.close());

  it('is handed over by word, at once', async () => {
    const [one, other] = [processes.add(1), processes.add(2)];
    await one.start();
    await other.start();
    await one.giveUpLead();
    expect([...processes.leading]).toEqual([]);
    expect([await one.look(), await other.look()]).toEqual([false, true]);
    expect([...processes.leading]).toEqual([2]);
    expect(other.term).toBeGreaterThan(one.term);
  });

  it('is not taken back by one that gave it up, until it may', async () => {
    const one = processes.add(1);
    await one.start();
    await one.giveUpLead();
    expect(await one.look()).toBe(false);
    expect(one.lives).toBe(true);
    await one.takeUp();
    expect([one.leads, one.term]).toEqual([true, 2]);
  });

  it('is free at once when its holder stops, and it may come again as another', async () => {
    const [one, other] = [processes.add(1), processes.add(2)];
    await one.start();
    await other.start();
    const before = one.id;
    await one.stop();
    expect(await other.look()).toBe(true);
    await one.takeUp();
    expect([one.leads, one.id === before]).toEqual([false, false]);
  });

  it('lets one that was taken for dead write nothing more as the leader', async () => {
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

  it('is never held by two that live, whatever they do, and its term only grows', async () => {
    const act = fc.record({
      who: fc.nat(2),
      what: fc.constantFrom('look', 'give up', 'take up', 'stop', 'die', 'time passes' as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 25 }), async (acts) => {
        const all = new Processes();
        const instances = [1, 2, 3].map((pid) => all.add(pid));
        const alive = () => [...all.leading].filter((pid) => !all.dead.has(pid));
        for (const instance of instances) await instance.start();
        for (const { who, what } of acts) {
          if (all.dead.has(who + 1)) continue;
          const instance = instances[who]!;
          if (what === 'look') await instance.look();
          if (what === 'give up') await instance.giveUpLead();
          if (what === 'take up') await instance.takeUp();
          if (what === 'stop') await instance.stop();
          if (what === 'time passes') all.clock.advance(5_000);
          if (what === 'die' && all.dead.size < 2) all.dead.add(who + 1);
          expect(alive().length).toBeLessThanOrEqual(1);
        }
        const survivor = instances.find((_, index) => !all.dead.has(index + 1))!;
        for (const each of instances)
          if (each !== survivor && !all.dead.has(instances.indexOf(each) + 1)) await each.stop();
        await survivor.takeUp();
        expect(alive()).toEqual([instances.indexOf(survivor) + 1]);
        expect(all.terms).toEqual([...new Set(all.terms)].toSorted((one, other) => one - other));
        await all.close();
      }),
      { numRuns: 40 },
    );
  });
});
