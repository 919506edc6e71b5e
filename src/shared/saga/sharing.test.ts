import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ManualClock } from '../clock/index.ts';
import { command, contract, nothing } from '../contract/index.ts';
import type { Database, Unit } from '../data/index.ts';
import { refusal } from '../errors/index.ts';
import { Instance, instanceMigrations } from '../instances/index.ts';
import { type Log, silentLog } from '../observability/index.ts';
import { SharedFile } from '../testing/index.ts';
import { findSaga, type Saga, SagaRunner, type SagaState, sagaMigrations, step } from './index.ts';

const act = { input: nothing, output: nothing };
const bank = contract('bank', {
  operations: {
    take: command({ about: 'Takes', ...act }),
    giveBack: command({ about: 'Gives back', ...act }),
    seal: command({ about: 'Seals', ...act }),
  },
  errors: { broke: { status: 402, title: 'No money' } },
});

type Call = (name: string, key: string) => Promise<unknown>;

/** Two processes, as far as sagas and instances can tell, on one database. */
describe('sagas of several instances', () => {
  let file: SharedFile;
  let dead: Set<number>;
  let processes: Process[];

  const written = async () =>
    (await processes[0]!.database.db.all<{ id: string }>(sql`SELECT id FROM written`)).map(({ id }) => id);

  const deal: Saga<{ id: string }, Unit> = {
    name: 'deal',
    version: 1,
    data: z.object({ id: z.string() }),
    deadlineMs: 600_000,
    steps: [
      step<{ id: string }>('take')
        .call(bank.operations.take, () => ({}))
        .compensate(bank.operations.giveBack, () => ({})),
      step<{ id: string }>('seal').call(bank.operations.seal, () => ({})),
      step<{ id: string }>('write down').write(
        async (unit, { id }) => void (await unit.db.run(sql`INSERT INTO written VALUES (${id})`)),
      ),
    ],
  };

  class Process {
    readonly clock: ManualClock;
    readonly database: Database = file.open();
    readonly warnings: string[] = [];
    readonly instance: Instance;
    readonly runner: SagaRunner<Unit>;
    call: Call = async () => ({});

    constructor(pid: number) {
      const clock = new ManualClock(processes[0]?.clock.now());
      const { database } = this;
      const runs = (other: { pid: number }) => !dead.has(other.pid);
      const warn = (_: unknown, text: string) => void this.warnings.push(text);
      const log = { ...silentLog, error() {}, warn } as unknown as Log;
      this.clock = clock;
      this.instance = new Instance({ database, clock, log, host: 'here', pid, runs });
      this.runner = new SagaRunner<Unit>({
        sagas: [deal as Saga<never>],
        database,
        instance: this.instance,
        work: (task) => database.work(task),
        call: ({ name }, _input, key) => this.call(name, key),
        clock,
        log,
      });
      processes.push(this);
    }

    async start(): Promise<this> {
      await this.instance.start();
      await this.runner.start();
      return this;
    }

    begin(id: string): Promise<void> {
      return this.database.work((unit) => this.runner.begin(unit, deal, id, { id }));
    }

    async state(id: string): Promise<SagaState | undefined> {
      return (await findSaga(this.database, id))?.state;
    }
  }

  beforeEach(() => {
    file = new SharedFile([
      ...instanceMigrations,
      ...sagaMigrations,
      { name: 'written', sqlite: 'CREATE TABLE written (id TEXT NOT NULL)' },
    ]);
    dead = new Set();
    processes = [];
  });

  afterEach(async () => {
    // One that was killed has a step that never ends.
    for (const { runner } of processes) void runner.stop();
    for (const { instance } of processes) await instance.stop();
    await file.close();
  });

  /** Lets time pass for `moving`, in looks, until it is so. */
  async function until(so: () => boolean | Promise<boolean>, moving: Process[]): Promise<void> {
    while (!(await so())) {
      for (const { clock } of moving) clock.advance(1_000);
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('are tried for by all of them, and no step runs twice at a time', async () => {
    const both = [await new Process(1).start(), await new Process(2).start()];
    const under = new Set<string>();
    const calls = new Map<string, number>();
    const overlaps: string[] = [];
    for (const each of both) {
      each.call = async (_name, key) => {
        if (under.has(key)) overlaps.push(key);
        under.add(key);
        await new Promise((resolve) => setImmediate(resolve));
        under.delete(key);
        const times = (calls.get(key) ?? 0) + 1;
        calls.set(key, times);
        if (times === 1) throw refusal('unavailable');
      };
    }
    const ids = Array.from({ length: 100 }, (_, n) => `deal-${n}`);
    await Promise.all(ids.map((id, n) => both[n % 2]!.begin(id)));
    await until(async () => (await written()).length === ids.length, both);
    expect(overlaps).toEqual([]);
    expect([...calls.values()]).toEqual(ids.flatMap(() => [2, 2]));
  });

  it('that wait go on in whichever finds them due', async () => {
    const [first, second] = [await new Process(1).start(), await new Process(2).start()];
    const calls: string[] = [];
    const failsFirst =
      (who: number): Call =>
      async (name) => {
        const known = calls.some((line) => line.endsWith(name));
        calls.push(`${who} ${name}`);
        if (!known) throw refusal('unavailable');
      };
    first.call = failsFirst(1);
    second.call = failsFirst(2);
    await first.begin('d1');
    await until(async () => calls.includes('2 seal'), [second]);
    await until(async () => (await first.state('d1')) === 'done', [first]);
    expect(calls).toEqual(['1 take', '2 take', '2 seal', '1 seal']);
  });

  it('are taken over from one that was killed, with the step that was in doubt', async () => {
    const [first, second] = [await new Process(1).start(), await new Process(2).start()];
    const calls: string[] = [];
    const killed = new Promise<void>((resolve) => {
      first.call = async (name, key) => {
        calls.push(`1 ${key}`);
        if (name === 'take') return {};
        resolve();
        return new Promise(() => {});
      };
    });
    second.call = async (_name, key) => calls.push(`2 ${key}`);
    await first.begin('d1');
    await killed;
    dead.add(1);
    await until(async () => (await second.state('d1')) === 'done', [second]);
    expect(calls).toEqual(['1 d1/take', '1 d1/seal', '2 d1/seal']);
    expect(await findSaga(second.database, 'd1')).toMatchObject({ owner: null, fence: 2 });
  });

  it('take the step of a dead one back as well when it is refused: it may have happened', async () => {
    const [first, second] = [await new Process(1).start(), await new Process(2).start()];
    const calls: string[] = [];
    const killed = new Promise<void>((resolve) => {
      first.call = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    second.call = async (name) => {
      calls.push(name);
      if (name === 'take') throw bank.refuse('broke');
    };
    await first.begin('d1');
    await killed;
    dead.add(1);
    await until(async () => (await second.state('d1')) === 'compensated', [second]);
    expect(calls).toEqual(['take', 'giveBack']);
  });

  it('are not taken from one that lives, however long a step takes', async () => {
    const [first, second] = [await new Process(1).start(), await new Process(2).start()];
    let answer = () => {};
    first.call = (name) => (name === 'take' ? new Promise((resolve) => (answer = () => resolve({}))) : never());
    second.call = never;
    await first.begin('d1');
    const end = first.clock.now() + 90_000;
    await until(() => first.clock.now() > end, [first, second]);
    first.call = async () => ({});
    answer();
    await until(async () => (await first.state('d1')) === 'done', [first, second]);
    expect((await findSaga(first.database, 'd1'))?.fence).toBe(1);
  });

  it('are left alone by one that was paused past its lease, whatever it had under way', async () => {
    const [first, second] = [await new Process(1).start(), await new Process(2).start()];
    let answer = () => {};
    first.call = (name) =>
      name === 'seal' ? new Promise((resolve) => (answer = () => resolve({}))) : Promise.resolve({});
    await first.begin('d1');
    await vi.waitFor(async () => expect((await findSaga(first.database, 'd1'))?.step).toBe(1));
    await until(async () => (await second.state('d1')) === 'done', [second]);
    const ended = await findSaga(second.database, 'd1');
    answer();
    await vi.waitFor(() => expect(first.warnings).toEqual(['d1 was taken over by another instance']));
    expect(await findSaga(second.database, 'd1')).toEqual(ended);
    expect(await written()).toEqual(['d1']);
  });

  it('tell those who wait elsewhere', async () => {
    const [first, second] = [await new Process(1).start(), await new Process(2).start()];
    first.call = async () => {
      throw refusal('unavailable');
    };
    await first.begin('d1');
    const waiting = first.runner.settled('d1', 60_000);
    await vi.waitFor(async () => expect((await findSaga(first.database, 'd1'))?.attempts).toBe(1));
    await until(async () => (await second.state('d1')) === 'done', [second]);
    first.clock.advance(1_000);
    expect(await waiting).toBe('done');
  });

  it('are finished by one that takes no more, and what it was not to finish goes on elsewhere', async () => {
    const [first, second] = [await new Process(1).start(), await new Process(2).start()];
    let answer = () => {};
    first.call = (name, key) =>
      key.startsWith('slow') && name === 'take'
        ? new Promise((resolve) => (answer = () => resolve({})))
        : Promise.resolve({});
    await first.begin('quick');
    await vi.waitFor(async () => expect(await first.state('quick')).toBe('done'));
    await first.begin('slow');
    const finishing = first.runner.finish(10_000);
    await first.begin('late');
    expect(await findSaga(second.database, 'late')).toMatchObject({ owner: null, state: 'running' });
    answer();
    expect(await finishing).toEqual({ underWay: 1, ended: 1, handedOver: [] });
    expect(await written()).toEqual(['quick', 'slow']);
    await until(async () => (await second.state('late')) === 'done', [second]);
    expect(await first.runner.count(['quick', 'slow', 'late', 'nobody'])).toBe(3);
  });

  it('are handed over by one that has waited long enough, and each step happens once', async () => {
    const [first, second] = [await new Process(1).start(), await new Process(2).start()];
    const calls: string[] = [];
    let answer = () => {};
    first.call = (name) => {
      calls.push(`1 ${name}`);
      return new Promise((resolve) => (answer = () => resolve({})));
    };
    second.call = async (name) => calls.push(`2 ${name}`);
    await first.begin('d1');
    await vi.waitFor(() => expect(calls).toEqual(['1 take']));
    const finishing = first.runner.finish(5_000);
    first.clock.advance(5_000);
    answer();
    expect(await finishing).toEqual({ underWay: 1, ended: 0, handedOver: ['d1'] });
    second.clock.advance(5_000);
    second.runner.wake();
    await vi.waitFor(async () => expect(await second.state('d1')).toBe('done'));
    expect(calls).toEqual(['1 take', '2 seal']);
    expect(await findSaga(second.database, 'd1')).toMatchObject({ attempts: 0, fence: 2 });
  });

  it('are taken up again by one that was to hand them over, when that came to nothing', async () => {
    const first = await new Process(1).start();
    await first.runner.finish(1_000);
    await first.begin('d1');
    expect(await first.state('d1')).toBe('running');
    await first.runner.start();
    await vi.waitFor(async () => expect(await first.state('d1')).toBe('done'));
  });

  it('are told of within 50 ms to who waits for one that runs elsewhere', async () => {
    const [first, second] = [await new Process(1).start(), await new Process(2).start()];
    let answer = () => {};
    first.call = () => new Promise((resolve) => (answer = () => resolve({})));
    await first.begin('d1');
    let told: SagaState | undefined;
    void second.runner.settled('d1', 60_000).then((state) => {
      told = state;
    });
    await second.state('d1');
    second.clock.advance(50);
    await second.state('d1');
    expect(told).toBeUndefined();
    first.call = async () => ({});
    answer();
    await vi.waitFor(async () => expect(await first.state('d1')).toBe('done'));
    second.clock.advance(50);
    await vi.waitFor(() => expect(told).toBe('done'));
  });
});

async function never(): Promise<never> {
  throw new Error('this instance was not to call');
}
