import type { Dispatch } from '../calls/index.ts';
import type { Clock } from '../context/index.ts';
import { type Database, kernelPrefix, type Migration, probeWrite } from '../database/index.ts';
import { StartError } from '../errors/index.ts';
import { type DeadLetters, eventMigrations, type Receive, readdress } from '../events/index.ts';
import { type Instance, instanceMigrations } from '../leader-election/index.ts';
import { type SagaRunner, sagaMigrations } from '../saga/index.ts';
import { type Assembly, assemble, type Surroundings } from './assembly.ts';
import type { CallsInFlight } from './calls-in-flight.ts';
import { commandMigrations } from './commands.ts';
import { seedMigrations, seedOnce } from './housekeeping.ts';
import { type ModuleDefinition, type ModuleUnit, refuseWrongListensTo } from './module.ts';
import { startTimers, timerMigrations } from './timers.ts';

/** A module that runs in this process. */
export interface OpenModule {
  readonly name: string;
  readonly database: Database;
  readonly dispatch: Dispatch;
  /** The calls in flight to this module in this process, from every transport. */
  readonly inFlight: CallsInFlight;
  /** Receives an event from the bus and handles it once. */
  readonly receive: Receive;
  readonly deadLetters: DeadLetters;
  /** Whether this process leads the module's instances, and since which term. */
  readonly instance: Instance;
  /** Checks that the database accepts writes. Rejects with the reason when it does not. */
  probeWrite(): Promise<void>;
  /** Starts event delivery, sagas and timers. */
  start(): Promise<void>;
  /** Tells the relay and the sagas that another module is reachable again, so that they stop waiting for it. */
  wake(other: string): void;
  /** Ends every wait for a saga, before the module stops: current and later waiters get `undefined`. */
  drain(): void;
  readonly sagas: SagaRunner<ModuleUnit>;
  /** The names of the timers. */
  readonly timers: readonly string[];
  /** Stops event delivery, sagas and timers. The module still serves calls. Resolves when all work that it began is recorded. */
  stop(): Promise<void>;
  /** Stops, lets the calls in flight finish, and closes the data. */
  close(): Promise<void>;
}

const kernelMigrations: Migration[] = [
  ...[...instanceMigrations, ...eventMigrations, ...sagaMigrations],
  ...[...commandMigrations, ...seedMigrations, ...timerMigrations],
];

/** Opens a module on its data. Throws a `StartError` when its definition is wrong, or its data damaged or not writable. */
export async function openModule(definition: ModuleDefinition, around: Surroundings): Promise<OpenModule> {
  const migrations = migrationsOf(definition);
  refuseWrongListensTo(definition);
  const database = around.openDatabase(definition.contract.name, migrations);
  try {
    return await openOn(database, definition, around);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openOn(database: Database, definition: ModuleDefinition, around: Surroundings): Promise<OpenModule> {
  const { name, events } = definition.contract;
  const { bus } = around;
  const assembly = assemble(database, definition, around);
  const { inside, timers, instance, relay, inbox, deadLetters, sagas, dispatcher, work } = assembly;
  if (inside.seed) await seedOnce(database, work, inside.seed);
  const recipients = [...new Set(Object.values(events).flatMap(({ type }) => bus.recipients(type)))];
  const receive: Receive = (event, exhausted) => inbox.receive(event, exhausted);
  addLeaderTasks(assembly, { module: name, database, recipients, receive }, around);
  const stop = async () => {
    await Promise.all([instance.endLeaderTasks(), sagas.stop()]);
    await instance.stop();
  };
  return {
    ...{ name, database, instance, deadLetters, sagas, receive, stop },
    dispatch: dispatcher.dispatch,
    inFlight: dispatcher.inFlight,
    timers: timers.map((timer) => timer.name),
    probeWrite: () => probeWrite(database),
    async start() {
      await instance.start();
      await sagas.start();
    },
    wake(other) {
      relay.recipientReachable(other);
      sagas.remoteReachable(other);
    },
    drain: () => sagas.drain(),
    async close() {
      await stop();
      await dispatcher.inFlight.idle();
      await inside.close?.();
      await database.close();
    },
  };
}

interface LeaderTasksDependencies {
  readonly module: string;
  readonly database: Database;
  /** The recipients of the module's events. */
  readonly recipients: readonly string[];
  readonly receive: Receive;
}

/** Adds the tasks that only the leader of the module's instances runs: inbox, subscription, timers, relay. */
function addLeaderTasks(
  { instance, inbox, relay, timers, work }: Assembly,
  { module, database, recipients, receive }: LeaderTasksDependencies,
  { bus, brokers, clock, log }: Surroundings,
): void {
  instance.whileLeader(async () => {
    const moved = await readdress(database, bus, recipients, brokers);
    if (moved > 0) log.warn({ module, moved }, 'events that waited for another bus are sent over this one');
    await inbox.start();
    return () => inbox.stop();
  });
  instance.whileLeader(() => bus.subscribe(module, receive));
  instance.whileLeader(async () =>
    startTimers({ module, timers, work, fence: (unit) => instance.fence(unit), clock, log }),
  );
  instance.whileLeader(async () => {
    relay.start(recipients);
    return () => relay.stop();
  });
  instance.whileLeader(async () =>
    lookNowAndThen(instance, clock, () => {
      relay.start(recipients);
      inbox.wake();
    }),
  );
}

const lookMs = 100;
const lookAloneMs = 1_000;

/**
 * Calls `look` periodically, because a write of another instance wakes nothing in this process. Continues after the other instance has
 * gone. Returns a function that stops it.
 */
function lookNowAndThen(instance: Instance, clock: Clock, look: () => void): () => void {
  let cancel = () => {};
  const again = () => {
    cancel = clock.after(instance.alone ? lookAloneMs : lookMs, () => {
      look();
      again();
    });
  };
  again();
  return () => cancel();
}

/** Returns all migrations of a module's data, in order. Throws a `StartError` when the module uses a migration name of the kernel. */
export function migrationsOf({ contract: { name }, migrations: own }: ModuleDefinition): Migration[] {
  const reserved = own.find((each) => each.name.startsWith(kernelPrefix));
  if (reserved)
    throw new StartError(
      `migration "${reserved.name}" of "${name}": names that begin with ${kernelPrefix} are Kerf's own`,
    );
  return [...kernelMigrations, ...own];
}
