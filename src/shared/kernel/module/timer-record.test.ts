import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, ManualClock } from '../context/index.ts';
import type { Database } from '../database/index.ts';
import { LeadLost } from '../leader-election/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { SharedFile } from '../testing/index.ts';
import type { ModuleUnit, Timer } from './module.ts';
import { startTimers, timerMigrations } from './timers.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const written = { name: 'written', sqlite: 'CREATE TABLE written (at INTEGER)' };

/** Throws in a unit of work after the timer has run, so that the unit does not commit. */
type Crash = () => boolean;

describe('the record of a timer', () => {
  let file: SharedFile;
  let database: Database;
  let clock: ManualClock;
  let begun: number;
  let inFlight: Set<Promise<unknown>>;
  let stops: (() => Promise<unknown>)[];

  beforeEach(() => {
    file = new SharedFile([...timerMigrations, written]);
    database = file.open();
    clock = new ManualClock();
    begun = clock.now();
    inFlight = new Set();
    stops = [];
  });

  afterEach(async () => {
    for (const stop of stops) await stop();
    await file.close();
  });

  const track = <T>(task: Promise<T>): Promise<T> => {
    const done = task.finally(() => inFlight.delete(done));
    done.catch(() => {});
    inFlight.add(done);
    return done;
  };

  interface Process {
    readonly on?: Database;
    readonly fence?: (unit: ModuleUnit) => Promise<void>;
    readonly time?: Clock;
    readonly crash?: Crash;
  }

  /** Starts the timers of a process. Without a `fence`, the process believes that it leads. Returns a function that stops them. */
  function start(timer: Timer, { on = database, fence = async () => {}, time = clock, crash }: Process = {}) {
    const stop = startTimers({
      module: 'sample',
      timers: [timer],
      work: (task) =>
        track(
          on.work(async (unit) => {
            const result = await task(unit as ModuleUnit);
            if (crash?.()) throw new Error('crash before the commit');
            return result;
          }),
        ),
      ...{ fence, clock: time, log: silentLog },
    });
    stops.push(stop);
    return stop;
  }

  /** Writes the time of each run. */
  const writes =
    (time: Clock = clock): Timer['run'] =>
    async (unit) =>
      void (await unit.db.run(sql`INSERT INTO written VALUES (${time.now()})`));

  const daily: Timer = { name: 'daily', everyMs: dayMs, run: (unit) => writes()(unit) };

  /** Lets the time pass in steps. The work that is due in a step ends within it. */
  async function pass(forMs: number, stepMs = 30 * minuteMs): Promise<void> {
    const end = clock.now() + forMs;
    await work();
    while (clock.now() < end) {
      clock.advance(Math.min(stepMs, end - clock.now()));
      await work();
    }
  }

  async function work(): Promise<void> {
    do {
      await Promise.allSettled(inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(0);
    } while (inFlight.size > 0);
  }

  /** Returns the times of the runs, in hours since the beginning. */
  const hours = async () =>
    (await database.db.all<{ at: number }>(sql`SELECT at FROM written ORDER BY rowid`)).map(
      ({ at }) => (at - begun) / hourMs,
    );

  const commits = async () => (await database.db.all<{ commits: number }>(sql`SELECT commits FROM kerf_identity`))[0];

  it('keeps the schedule of a process that restarts every five hours', async () => {
    for (let restart = 0; restart < 15; restart++) {
      const stop = start(daily);
      await pass(5 * hourMs);
      await stop();
    }
    expect(await hours()).toEqual([24, 48, 72]);
  });

  it('starts one run after many missed runs', async () => {
    const stop = start(daily);
    await pass(hourMs);
    await stop();
    clock.advance(99 * hourMs);
    start(daily);
    await pass(25 * hourMs);
    expect(await hours()).toEqual([100, 124]);
  });

  it('allows one run per interval when two processes believe that they lead', async () => {
    start(daily);
    start(daily, { on: file.open() });
    await pass(3 * dayMs);
    expect(await hours()).toEqual([24, 48, 72]);
  });

  it('allows one run per interval while leadership changes', async () => {
    let leader = 1;
    const ran: number[] = [];
    const lead = (pid: number) => {
      leader = pid;
      const run: Timer['run'] = async (unit) => {
        ran.push(pid);
        return daily.run(unit);
      };
      const fence = async () => {
        if (leader !== pid) throw new LeadLost('this process leads no more');
      };
      return start({ ...daily, run }, { on: file.open(), fence });
    };
    const stop = lead(1);
    await pass(24 * hourMs);
    await stop();
    // The second process does not see that it leads no more: it is not stopped.
    lead(2);
    await pass(25 * hourMs);
    lead(3);
    await pass(23 * hourMs);
    expect(await hours()).toEqual([24, 48, 72]);
    expect(ran).toEqual([1, 2, 3]);
  });

  it('is missing after a crash during the run, like the effects of the run', async () => {
    const crash = { now: false };
    const stop = start(daily, { crash: () => crash.now });
    await pass(dayMs - hourMs);
    crash.now = true;
    await pass(hourMs);
    await stop();
    expect(await hours()).toEqual([]);
    clock.advance(3 * hourMs);
    start(daily);
    await pass(hourMs);
    expect(await hours()).toEqual([27]);
  });

  it('is missing after a failure, and the timer is retried a minute later', async () => {
    let fails = true;
    const run: Timer['run'] = async (unit) => {
      await daily.run(unit);
      if (fails) throw new Error('no');
      return undefined;
    };
    start({ ...daily, run });
    await pass(dayMs);
    expect(await hours()).toEqual([]);
    fails = false;
    await pass(minuteMs);
    await pass(dayMs);
    expect(await hours()).toEqual([24 + 1 / 60, 48 + 1 / 60]);
  });

  it('is written with the last unit of a run, so that the rest runs after a crash', async () => {
    let left = 3;
    const run: Timer['run'] = async (unit) => {
      await daily.run(unit);
      return --left > 0 ? 'again' : undefined;
    };
    const stop = start({ ...daily, run }, { crash: () => left < 2 });
    await pass(dayMs);
    await stop();
    expect(await hours()).toEqual([24]);
    left = 2;
    clock.advance(hourMs);
    start({ ...daily, run });
    await pass(dayMs);
    expect(await hours()).toEqual([24, 25, 25, 49]);
  });

  it('costs one commit per run, and none in between', async () => {
    start({ name: 'idle', everyMs: hourMs, run: async () => undefined });
    start({ name: 'short', everyMs: 1_000, run: async () => undefined });
    await pass(0);
    const before = (await commits())!.commits;
    await pass(hourMs - minuteMs, minuteMs);
    expect((await commits())!.commits - before).toBe(0);
    await pass(minuteMs);
    expect((await commits())!.commits - before).toBe(1);
    expect(await database.db.all(sql`SELECT name FROM kerf_timers`)).toEqual([{ name: 'idle' }]);
  });

  describe('with a clock that steps back', () => {
    /** The clock of a process, which can be set. */
    const settable = () => {
      const time = { byMs: 0, now: () => clock.now() + time.byMs, after: clock.after.bind(clock) };
      return time;
    };

    it('across a run allows no second run', async () => {
      const time = settable();
      const nightly: Timer = { name: 'nightly', cron: '0 3 * * *', run: (unit) => daily.run(unit) };
      start(nightly, { time });
      await pass(3 * hourMs);
      time.byMs = -hourMs;
      await pass(25 * hourMs);
      expect(await hours()).toEqual([3, 28]);
    });

    it.each<[string, Timer]>([
      ['an interval', daily],
      ['a cron expression', { name: 'nightly', cron: '0 0 * * *', run: (unit) => daily.run(unit) }],
    ])('by ten years lets %s continue from the present time', async (_, timer) => {
      const time = settable();
      time.byMs = 10 * 365 * dayMs;
      const stop = start(timer, { time });
      await pass(dayMs + hourMs);
      time.byMs = 0;
      await pass(hourMs);
      expect((await hours()).length).toBe(1);
      await pass(dayMs);
      expect((await hours()).length).toBe(2);
      await stop();
      start(timer);
      await pass(dayMs);
      expect((await hours()).length).toBe(3);
    });
  });

  it('allows one run per night for a cron expression, across daylight saving and deployments', async () => {
    clock = new ManualClock(Date.UTC(2026, 2, 27, 12));
    begun = clock.now();
    const nightly: Timer = {
      name: 'nightly',
      cron: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      run: (unit) => daily.run(unit),
    };
    for (let deployment = 0; deployment < 11; deployment++) {
      const stop = start(nightly);
      await pass(7 * hourMs);
      await stop();
    }
    // 02:30 in winter, 03:00 in summer for the time that the change skips, and 02:30 in summer.
    expect(await hours()).toEqual([13.5, 37, 60.5]);
  });
});
