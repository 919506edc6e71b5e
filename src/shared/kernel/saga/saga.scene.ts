import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { ManualClock, turn } from '../context/index.ts';
import { command, contract, nothing } from '../contract/index.ts';
import type { Database, Migration, Unit } from '../database/index.ts';
import { Instance, instanceMigrations } from '../leader-election/index.ts';
import { type Log, silentLog } from '../telemetry/index.ts';
import { SagaRunner } from './runner.ts';
import { type Saga, step } from './saga.ts';
import { findSaga } from './store.ts';
import { type SagaState, sagaMigrations } from './tables.ts';

const act = { input: nothing, output: nothing };
export const bank = contract('bank', {
  operations: {
    take: command({ summary: 'Takes', ...act }),
    giveBack: command({ summary: 'Gives back', ...act }),
    seal: command({ summary: 'Seals', ...act }),
  },
  errors: { broke: { status: 402, title: 'No money' } },
});

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

export const sceneMigrations: Migration[] = [
  ...instanceMigrations,
  ...sagaMigrations,
  { name: 'written', sqlite: 'CREATE TABLE written (id TEXT NOT NULL)' },
];

type Call = (name: string, key: string) => Promise<unknown>;

/** A simulated process. Sagas and instances cannot tell it from a real process. */
export class Process {
  readonly clock: ManualClock;
  readonly database: Database;
  readonly warnings: string[] = [];
  readonly instance: Instance;
  readonly runner: SagaRunner<Unit>;
  call: Call = async () => ({});
  /** Runs before each unit of work of the runner; may throw. */
  beforeWork: () => Promise<void> = async () => {};

  constructor(pid: number, scene: SagaScene) {
    const database = scene.open();
    const clock = new ManualClock(scene.processes[0]?.clock.now());
    const runs = (other: { pid: number }) => !scene.dead.has(other.pid);
    const warn = (_: unknown, text: string) => void this.warnings.push(text);
    const log = { ...silentLog, error() {}, warn } as unknown as Log;
    this.database = database;
    this.clock = clock;
    this.instance = new Instance({ database, clock, log, host: 'here', pid, runs });
    this.runner = new SagaRunner<Unit>({
      module: 'sample',
      sagas: [deal as Saga<never>],
      database,
      instance: this.instance,
      work: async (task) => {
        await this.beforeWork();
        return database.work(task);
      },
      call: ({ name }, _input, key) => this.call(name, key),
      clock,
      log,
    });
  }

  begin(id: string): Promise<void> {
    return this.database.work((unit) => this.runner.begin(unit, deal, id, { id }));
  }

  async state(id: string): Promise<SagaState | undefined> {
    return (await findSaga(this.database, id))?.state;
  }
}

/** Throws the error for a full disk. */
export async function fullDisk(): Promise<never> {
  throw new Error('the disk is full');
}

/** Several processes on one database. For tests. */
export class SagaScene {
  readonly dead = new Set<number>();
  readonly processes: Process[] = [];
  readonly open: () => Database;

  constructor(open: () => Database) {
    this.open = open;
  }

  /** Starts a process that runs sagas and is registered as an instance. */
  async start(): Promise<Process> {
    const process = await this.startIdle();
    await process.runner.start();
    return process;
  }

  /** Starts a process that is registered as an instance but does not run sagas yet. */
  async startIdle(): Promise<Process> {
    const process = new Process(this.processes.length + 1, this);
    this.processes.push(process);
    await process.instance.start();
    return process;
  }

  /** Returns the ids that the sagas' write steps have written. */
  async written(): Promise<string[]> {
    const rows = await this.processes[0]!.database.db.all<{ id: string }>(sql`SELECT id FROM written`);
    return rows.map(({ id }) => id);
  }

  /** Lets time pass for the processes in `moving`, a second per look, until `so` holds. */
  async until(so: () => boolean | Promise<boolean>, moving: readonly Process[]): Promise<void> {
    while (!(await so())) {
      for (const { clock } of moving) clock.advance(1_000);
      for (let looks = 0; looks < 10; looks++) {
        await new Promise((resolve) => setImmediate(resolve));
        // Runs after all units of work that wait for time now.
        await turn();
      }
    }
  }

  async close(): Promise<void> {
    // Does not await the runners: a killed process has a step that never ends.
    for (const { runner } of this.processes) void runner.stop();
    for (const { instance } of this.processes) await instance.stop();
  }
}

/** Resolves with the state in which the saga ends. Time passes while it waits. */
export async function endOf(database: Database, clock: ManualClock, id: string): Promise<string> {
  for (;;) {
    const row = await findSaga(database, id);
    if (row && !['running', 'compensating'].includes(row.state)) return row.state;
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(100);
  }
}
