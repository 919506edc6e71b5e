import { z } from 'zod';
import { appliedMigrations, type NamedMigration } from '../../kernel/database-engine/index.ts';
import type { Directory } from '../routing/index.ts';
import { type Handover, leadGivenUpSchema, leadTakenSchema, sagasSchema } from './handover.ts';
import type { ModulesHere } from './modules-here.ts';
import type { ModuleProcess } from './processes/module-process.ts';
import { namedMigrationsSchema } from './processes/release.ts';

/** Takes the calls that a broker has for the module of a process. */
interface BrokerListener {
  fetchCalls(): Promise<void>;
  fetchNoCalls(): Promise<void>;
}

/** A replica of a module that can hand over its work to another. It runs in this process, or in a module process. */
export interface Replica extends Handover {
  /** The name to show to a person: `this process`, or `process 4711`. */
  readonly name: string;
  /** Waits until no call is in flight. Resolves with the number of calls that were in flight at the beginning. */
  idle(): Promise<number>;
  /** Returns the migrations that were applied to its data. */
  migrations(): Promise<readonly NamedMigration[]>;
  /** Starts to take the module's calls from a broker. */
  fetchCalls(): Promise<void>;
  /** Takes no more calls from a broker; resolves when all calls taken so far are served. */
  fetchNoCalls(): Promise<void>;
}

const withinMs = 5_000;
/** Maximum time to wait for calls and sagas in flight. */
export const drainWithinMs = 20_000;

export function replicaHere(name: string, { open }: ModulesHere): Replica {
  const { handover, inFlight, database } = open.get(name)!;
  return {
    name: 'this process',
    async idle() {
      const { count } = inFlight;
      await inFlight.idle();
      return count;
    },
    migrations: () => appliedMigrations(database),
    // A module in the home process takes no calls from a broker.
    fetchCalls: async () => {},
    fetchNoCalls: async () => {},
    giveUpLead: () => handover.giveUpLead(),
    takeLead: (upTo) => handover.takeLead(upTo),
    finishSagas: (ms) => handover.finishSagas(ms),
    countSagas: (ids) => handover.countSagas(ids),
    stuckSagas: () => handover.stuckSagas(),
    leave: () => handover.leave(),
    takeUp: () => handover.takeUp(),
  };
}

/** Returns the replica in a module process, which it asks over the IPC channel. */
export function replicaIn(process: ModuleProcess): Replica {
  const { pid } = process;
  const ask = async <S extends z.ZodType>(what: string, answer: S, given?: unknown, ms = withinMs) =>
    answer.parse(await process.ask(what, given, ms));
  return {
    name: `process ${pid}`,
    idle: () => ask('idle', z.number(), undefined, drainWithinMs),
    migrations: () => ask('migrations', namedMigrationsSchema),
    fetchCalls: () => unlessEnded(process, pid, process.fetchCalls(withinMs)),
    fetchNoCalls: async () => void (await ask('fetch-no-calls', z.unknown(), undefined, drainWithinMs)),
    giveUpLead: () => ask('give-up-lead', leadGivenUpSchema, undefined, drainWithinMs),
    takeLead: (upTo) => ask('take-lead', leadTakenSchema, upTo),
    finishSagas: (ms) => ask('finish-sagas', sagasSchema, ms, ms + withinMs),
    countSagas: (ids) => ask('count-sagas', z.number(), ids),
    stuckSagas: () => ask('stuck-sagas', z.number()),
    leave: async () => void (await ask('leave', z.unknown())),
    takeUp: () => unlessEnded(process, pid, ask('take-up', z.unknown())),
  };
}

/** Resolves when a module process no longer calls `module` by an old route. */
export function drainedIn(process: ModuleProcess, module: string): Promise<void> {
  return unlessEnded(process, process.pid, process.ask('drained', module, drainWithinMs));
}

/** Resolves also when the asked process has ended: its replacement starts in the requested state. */
async function unlessEnded(process: ModuleProcess, pid: number | undefined, asked: Promise<unknown>): Promise<void> {
  await asked.catch((error) => {
    if (process.pid === pid) throw error;
  });
}

/** Returns the function with which a module process answers its parent's requests. */
export function answersFor(
  only: readonly string[],
  here: ModulesHere,
  directory: Directory,
  listeners: BrokerListener,
) {
  const replica = () => replicaHere(only[0]!, here);
  const answers: Record<string, (given: unknown) => Promise<unknown>> = {
    // The answer proves that the event loop turns.
    turn: async () => {},
    idle: () => replica().idle(),
    migrations: () => replica().migrations(),
    'fetch-calls': () => listeners.fetchCalls(),
    'fetch-no-calls': () => listeners.fetchNoCalls(),
    'give-up-lead': () => replica().giveUpLead(),
    'take-lead': (given) => replica().takeLead(z.number().parse(given)),
    'finish-sagas': (given) => replica().finishSagas(z.number().parse(given)),
    'count-sagas': (given) => replica().countSagas(z.array(z.string()).parse(given)),
    'stuck-sagas': () => replica().stuckSagas(),
    leave: () => replica().leave(),
    'take-up': () => replica().takeUp(),
    'processor-ms': async () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    drained: (given) => directory.drained(z.string().parse(given)),
  };
  return async (what: string, given: unknown): Promise<unknown> => {
    const answer = answers[what];
    if (!answer) throw new Error(`this release does not know "${what}"`);
    return answer(given);
  };
}
