import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deep } from '../../../../test/harness/deep.ts';
import { ManualClock } from '../context/index.ts';
import type { Database } from '../database/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { SharedFile } from '../testing/index.ts';
import { Instance, LeadLost } from './instance.ts';
import { instanceMigrations } from './tables.ts';

const table = { name: 'written', sqlite: 'CREATE TABLE written (term INTEGER NOT NULL, pid INTEGER NOT NULL)' };

/** A process with its own clock and connection. While paused, it neither writes nor sees time pass. A dead process never resumes. */
class Process {
  readonly instance: Instance;
  readonly clock: ManualClock;
  readonly #database: Database;
  state: 'runs' | 'paused' | 'dead' = 'runs';
  /** Whether its leader task has begun and not ended. */
  on = false;
  /** Whether it may have counted as dead since its leader task began. The process learns this only at its next look. */
  excused = false;
  broken = false;
  #ending = Promise.resolve();
  #endNow: (() => void) | undefined;
  #resumed = Promise.resolve();
  #resume = () => {};
  readonly pid: number;
  private readonly all: Processes;

  constructor(pid: number, aheadMs: number, all: Processes) {
    this.pid = pid;
    this.all = all;
    this.clock = new ManualClock(aheadMs);
    this.#database = all.file.open();
    const work: Database['work'] = async (task) => {
      await this.#resumed;
      return this.#database.work(task);
    };
    const runs = (other: { pid: number }) => all.all[other.pid - 1]!.state !== 'dead';
    const { clock } = this;
    const database = { ...this.#database, work };
    this.instance = new Instance({ database, clock, log: silentLog, host: 'here', pid, runs });
    this.instance.whileLeader(async () => {
      if (this.broken) throw new Error('no');
      this.all.began(this);
      return async () => {
        await this.#ending;
        [this.on, this.excused] = [false, false];
      };
    });
  }

  get counts(): boolean {
    return this.on && this.state === 'runs' && !this.excused;
  }

  pause(state: 'paused' | 'dead'): void {
    if (this.state === 'dead') return;
    if (this.state === 'runs') [this.#resumed, this.#resume] = gate();
    this.state = state;
  }

  /** Resumes a paused process and advances its clock to `now`, so that its timers fire late. */
  resume(now: number): void {
    if (this.state !== 'paused') return;
    this.state = 'runs';
    this.passUntil(now);
    this.#resume();
  }

  passUntil(now: number): void {
    this.clock.advance(now - this.clock.now());
    if (!this.instance.lives) this.excused = this.on;
  }

  endLate(): void {
    if (!this.#endNow) [this.#ending, this.#endNow] = gate();
  }

  endNow(): void {
    this.#endNow?.();
    this.#endNow = undefined;
  }

  /** Tries a write that only the leader may do. */
  async write(): Promise<void> {
    await this.#resumed;
    const writing = this.#database.work(async (unit) => {
      await this.instance.fence(unit);
      await unit.db.run(sql`INSERT INTO written VALUES (${this.instance.term}, ${this.pid})`);
    });
    await writing.catch((error) => expect(error).toBeInstanceOf(LeadLost));
  }
}

class Processes {
  readonly file = new SharedFile([...instanceMigrations, table]);
  readonly all: readonly Process[];
  readonly faults: string[] = [];
  readonly told: { process: Process; done: Promise<unknown> }[] = [];
  #now = 0;
  #lastTerm = 0;
  private readonly aheadMs: readonly number[];

  constructor(aheadMs: readonly number[]) {
    this.aheadMs = aheadMs;
    this.all = aheadMs.map((ms, index) => new Process(index + 1, ms, this));
  }

  began(process: Process): void {
    process.on = true;
    process.excused = !process.instance.lives;
    if (!process.counts) return;
    const { term } = process.instance;
    for (const other of this.all) {
      if (other !== process && other.counts) this.faults.push(`${process.pid} began while ${other.pid} led`);
    }
    if (term <= this.#lastTerm) this.faults.push(`term ${term} came after ${this.#lastTerm}`);
    this.#lastTerm = term;
  }

  get leader(): Process {
    return this.all.find(({ counts }) => counts) ?? this.all[0]!;
  }

  tell(process: Process, what: (process: Process) => Promise<unknown>): void {
    this.told.push({ process, done: what(process) });
  }

  timeOf({ pid }: Process): number {
    return this.#now + this.aheadMs[pid - 1]!;
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.#now += 1_000;
      for (const process of this.all) if (process.state === 'runs') process.passUntil(this.timeOf(process));
      await this.turns(5);
    }
  }

  async turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      const leading = this.all.filter(({ state, instance }) => state === 'runs' && instance.leads);
      if (leading.length > 1) this.faults.push(`${leading.map(({ pid }) => pid)} lead at once`);
    }
  }
}

const acts: Record<string, (process: Process, all: Processes) => unknown> = {
  look: (process, all) => all.tell(process, ({ instance }) => instance.look()),
  'give up': (process, all) => all.tell(process, ({ instance }) => instance.giveUpLead()),
  'take up': (process, all) => all.tell(process, ({ instance }) => instance.takeUp()),
  stop: (process, all) => all.tell(process, ({ instance }) => instance.stop()),
  write: (process, all) => all.tell(process, (each) => each.write()),
  'end late': (process) => process.endLate(),
  'end now': (process) => process.endNow(),
  'a second passes': (_, all) => all.pass(1),
  'ten seconds pass': (_, all) => all.pass(10),
  'a lease passes': (_, all) => all.pass(31),
  pause: (process) => process.pause('paused'),
  resume: (process, all) => process.resume(all.timeOf(process)),
  break: (process) => Object.assign(process, { broken: true }),
  mend: (process) => Object.assign(process, { broken: false }),
  die: (process, all) => {
    if (all.all.filter(({ state }) => state !== 'dead').length > 1) process.pause('dead');
  },
};

async function holds(numRuns: number): Promise<void> {
  const who = fc.constantFrom(0, 1, 2, 'leader' as const);
  const act = fc.record({ who, what: fc.constantFrom(...Object.keys(acts)), turns: fc.nat(4) });
  const aheadMs = fc.array(fc.nat(4_000), { minLength: 3, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(aheadMs, fc.array(act, { minLength: 5, maxLength: 40 }), async (ahead, doing) => {
      const all = new Processes(ahead);
      for (const { instance } of all.all) await instance.start();
      for (const { who, what, turns } of doing) {
        const process = who === 'leader' ? all.leader : all.all[who]!;
        if (process.state === 'dead' || (process.state === 'paused' && what !== 'resume')) continue;
        await acts[what]!(process, all);
        await all.turns(turns);
      }
      await end(all);
    }),
    { numRuns },
  );
}

it('leadership is never held by two, in any history, and a remaining process can get it', () => holds(50));
it('leadership is never held by two in more histories', deep, () => holds(200));

/** Repairs all live processes, lets them all try to lead, and checks that exactly one leads. */
async function end(all: Processes): Promise<void> {
  for (const process of all.all) {
    process.resume(all.timeOf(process));
    process.endNow();
    process.broken = false;
  }
  const living = all.all.filter(({ state }) => state !== 'dead');
  for (const process of living) all.tell(process, ({ instance }) => instance.takeUp());
  await Promise.all(all.told.filter(({ process }) => process.state !== 'dead').map(({ done }) => done));
  await all.pass(35);
  for (const process of living) await process.write();
  expect(all.faults).toEqual([]);
  const leading = living.filter(({ instance }) => instance.leads);
  expect(living.filter(({ on }) => on)).toEqual(leading);
  expect(leading).toHaveLength(1);

  const written = await all.file.open().db.all<{ term: number; pid: number }>(sql`SELECT * FROM written`);
  expect(written.at(-1)).toEqual({ term: leading[0]!.instance.term, pid: leading[0]!.pid });
  const terms = written.map(({ term }) => term);
  expect(terms).toEqual(terms.toSorted((one, other) => one - other));
  const holders = new Map(written.map(({ term, pid }) => [term, pid]));
  expect(written.filter(({ term, pid }) => holders.get(term) !== pid)).toEqual([]);
  for (const { instance } of living) await instance.stop();
  await all.file.close();
}

function gate(): [Promise<void>, () => void] {
  const { promise, resolve } = Promise.withResolvers<void>();
  return [promise, resolve];
}
