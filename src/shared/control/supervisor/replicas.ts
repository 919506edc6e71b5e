import { z } from 'zod';
import type { Directory } from '../../kernel/calls/index.ts';
import { appliedMigrations, type NamedMigration } from '../../kernel/database/index.ts';
import { type Handover, leadGivenUpSchema, leadTakenSchema, sagasSchema } from '../../kernel/module/index.ts';
import type { ModulesHere } from './modules-here.ts';
import type { ModuleProcess } from './processes/module-process.ts';
import { namedMigrationsSchema } from './processes/release.ts';

/** Where a process takes the calls that a broker has for its module. */
interface BrokerListener {
  fetchCalls(): Promise<void>;
  fetchNoCalls(): Promise<void>;
}

/** A replica of a module that can be told to give its work to another: in this process, or in one that it started. */
export interface Replica extends Handover {
  /** For a person: `this process`, or `process 4711`. */
  readonly name: string;
  /** Resolves with how many calls were in flight when it was asked, when none is any more. */
  idle(): Promise<number>;
  /** What was applied to its data. */
  migrations(): Promise<readonly NamedMigration[]>;
  /** Takes what a broker has for the module. */
  fetchCalls(): Promise<void>;
  /** Takes none of that any more; resolves when what it has taken is served. */
  fetchNoCalls(): Promise<void>;
}

const withinMs = 5_000;
/** The longest that calls and sagas in flight are waited for. */
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
    // Whom the home process runs itself is called by no broker.
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

/** The replica in a service process: asked over the line between the two. */
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

/** Resolves when a service calls `module` by no way that it should not take any more. */
export function drainedIn(process: ModuleProcess, module: string): Promise<void> {
  return unlessEnded(process, process.pid, process.ask('drained', module, drainWithinMs));
}

/** Resolves also when the process that was asked has ended: the one in its place comes up as it is to be. */
async function unlessEnded(process: ModuleProcess, pid: number | undefined, asked: Promise<unknown>): Promise<void> {
  await asked.catch((error) => {
    if (process.pid === pid) throw error;
  });
}

/** How a service does what it is asked by the process that started it. */
export function answersFor(
  only: readonly string[],
  here: ModulesHere,
  directory: Directory,
  listeners: BrokerListener,
) {
  const replica = () => replicaHere(only[0]!, here);
  const answers: Record<string, (given: unknown) => Promise<unknown>> = {
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
