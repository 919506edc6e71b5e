import type { z } from 'zod';
import type { Clock } from '../context/index.ts';
import type { Client, Contract, Event, OperationDefinition } from '../contract/index.ts';
import type { Migration, Reader, Unit } from '../database/index.ts';
import { StartError } from '../errors/index.ts';
import type { Resources } from '../http-api/index.ts';
import type { Saga, SagaState } from '../saga/index.ts';
import type { ModuleContainer } from './container.ts';
import { type Manifest, manifestSchema } from './manifest.ts';

/** The unit of work of a module. One commit covers its data, its events and its sagas. */
export interface ModuleUnit extends Unit {
  /** Publishes an event to its subscribers once this unit is on disk. Throws when `data` does not match the schema of the event. */
  publish<E extends Event>(event: E, data: z.input<E['data']>): Promise<void>;
  /**
   * Stores a saga in this unit. It begins as soon as the commit is visible; before it reaches outside of the process, the commit is on disk.
   * `id` identifies the saga: a second start with the same `id` is an error.
   */
  begin<D>(saga: Saga<D, ModuleUnit>, id: string, data: D): Promise<void>;
  /** The time of the process: tests and simulations have a clock of their own. */
  readonly clock: Clock;
}

/** The tools of an operation that runs more than one unit of work. */
export interface Steps {
  readonly read: Reader;
  readonly clock: Clock;
  work<T>(task: (unit: ModuleUnit) => Promise<T>): Promise<T>;
  /**
   * Records the answer of a command in `unit`, the unit that makes the effect of the command. A repeat, also after a crash, gets this
   * answer and runs no step. Call it only when every later step may be skipped. Throws, and so rolls the unit back, when a parallel run
   * has already answered. Resolves with `output`.
   */
  answer<T>(unit: ModuleUnit, output: T): Promise<T>;
  /** Aborts when the caller cancels the call or its deadline expires. Pass it to slow external work. */
  readonly signal: AbortSignal;
  /** Resolves with the final state of a saga of this module, or with `undefined` when the saga has not ended within `withinMs`. */
  settled(sagaId: string, withinMs: number): Promise<SagaState | undefined>;
}

type AnyOperation = Pick<OperationDefinition, 'kind' | 'input' | 'output'>;
type Input<O extends AnyOperation> = z.output<O['input']>;
type Output<O extends AnyOperation> = z.input<O['output']>;

// Both are conditional types, because TypeScript keeps the literals in the answer of a function (`'held'`) for these only.
type InOnePiece<O extends AnyOperation> = O extends { kind: 'query' }
  ? (input: Input<O>, reader: Reader) => Promise<Output<O>>
  : (input: Input<O>, unit: ModuleUnit) => Promise<Output<O>>;
type InManySteps<O extends AnyOperation> = O extends AnyOperation
  ? (input: Input<O>, steps: Steps) => Promise<Output<O>>
  : never;

/**
 * An operation that calls other modules, or waits, between its units of work. After a crash, the caller repeats such a command. The repeat
 * runs from the start, unless the unit that made the effect recorded the answer (`steps.answer`).
 */
export interface InSteps<I, O> {
  readonly inSteps: (input: I, steps: Steps) => Promise<O>;
}

/** Handles an operation, in one piece or in steps. */
export type Handler<O extends AnyOperation> = InOnePiece<O> | InSteps<Input<O>, Output<O>>;

export type Handlers<C extends Contract> = { readonly [K in keyof C['operations']]: Handler<C['operations'][K]> };

/**
 * Creates the handler of an operation, which determines its types: `handle(orders.operations.get, async ({ id }, reader) => …)`. A query
 * gets a reader. A command gets one unit of work; the same commit records its idempotency key.
 */
export function handle<O extends AnyOperation>(_operation: O, run: InOnePiece<O>): InOnePiece<O> {
  return run;
}

/** Creates the handler of an operation that runs in steps. The operation determines its types. */
export function inSteps<O extends AnyOperation>(_operation: O, run: InManySteps<O>): InSteps<Input<O>, Output<O>> {
  return { inSteps: run };
}

interface Interval {
  /** The time between the end of a run and the next run. The first run comes after one interval. */
  readonly everyMs: number;
  readonly cron?: undefined;
  readonly timeZone?: undefined;
}

interface CronTimes {
  readonly everyMs?: undefined;
  /** Five fields: minute, hour, day of month, month, day of week; for example `30 2 * * *` for every night at half past two. */
  readonly cron: string;
  /** The IANA name of the time zone of `cron`. Defaults to UTC. */
  readonly timeZone?: string;
}

interface TimerTask {
  /** Unique in the module. It identifies the record of the last run: a renamed timer begins anew. */
  readonly name: string;
  /** Returns `again` when more work is left. The kernel then continues the run at once, in a new unit. */
  run(unit: ModuleUnit): Promise<'again' | undefined>;
}

/**
 * A periodic task of a module, run by the leader. Each run is one unit of work, and the same commit records it. So a restart or a new
 * leader keeps the schedule: the timer runs at most once per interval over all processes. However many runs were missed, one follows
 * at the next start. A unit that failed leaves nothing, and is tried again within a minute.
 *
 * An interval shorter than a minute is not recorded, so that an idle timer costs no commit. It begins anew with each leader.
 */
export type Timer = TimerTask & (Interval | CronTimes);

/** An event that a module receives, and its handler. */
export interface ModuleSubscription<S = Record<string, unknown>> {
  readonly event: Event;
  readonly handle: (data: never, unit: ModuleUnit, container: ModuleContainer<S>) => Promise<void>;
}

/** The implementation behind the contract of an open module. */
export interface ModuleImplementation<C extends Contract> {
  readonly operations: Handlers<C>;
  readonly sagas?: readonly Saga<never, ModuleUnit>[];
  readonly timers?: readonly Timer[];
  /** Fills an empty database, once. */
  seed?(unit: ModuleUnit): Promise<void>;
  close?(): Promise<void>;
}

/** The contracts of the modules that a module calls, by their names in its code. */
export type UsedContracts = Readonly<Record<string, Contract>>;

/** A module as `app.ts` lists it. Every process knows it; only a process that runs it opens it. */
export interface ModuleDefinition<C extends Contract = Contract, S extends z.ZodObject = z.ZodObject> {
  readonly contract: C;
  readonly about: Manifest;
  /** The contracts of the modules in `uses` of `module.json`, so that a test can replace these modules by typed stubs. */
  readonly uses?: UsedContracts;
  /** Marks a remote module: it belongs to the system but not to this artifact, and has no data here. */
  readonly elsewhere?: true;
  /** The settings of the module: names as in the environment, each with a default. */
  readonly settings?: S;
  readonly migrations: readonly Migration[];
  /** Builds the public resources of the module from a client of its own contract. */
  readonly routes?: (self: Client<C>) => Resources;
  /** The events that the module receives, with their handlers. Every process reads the events; one that opens the module runs the handlers. */
  readonly subscriptions?: readonly ModuleSubscription<z.output<S>>[];
  readonly open: (container: ModuleContainer<z.output<S>>) => ModuleImplementation<C>;
}

/** A definition that keeps the types of its contract, its settings and the contracts that it uses, for the tests of the module. */
export interface DefinedModule<
  C extends Contract = Contract,
  S extends z.ZodObject = z.ZodObject,
  U extends UsedContracts = UsedContracts,
> extends ModuleDefinition {
  readonly contract: C;
  readonly settings?: S;
  readonly uses?: U;
}

/** Defines a module. Throws when its manifest is invalid, or when `uses` names other modules than `module.json`. */
export function defineModule<
  C extends Contract,
  S extends z.ZodObject,
  U extends UsedContracts = Readonly<Record<never, never>>,
>(definition: ModuleDefinition<C, S> & { readonly uses?: U }): DefinedModule<C, S, U> {
  const about = manifestSchema.parse(definition.about);
  if (definition.uses) refuseWrongUses(about, definition.uses);
  // The list of modules forgets the types of the handlers. The kernel gives each module only its own settings and its own client.
  return { ...definition, about } as unknown as DefinedModule<C, S, U>;
}

function refuseWrongUses({ name, uses }: Manifest, contracts: UsedContracts): void {
  const given = Object.values(contracts).map((used) => used.name);
  if (JSON.stringify(given.sort()) === JSON.stringify([...uses].sort())) return;
  throw new StartError(
    `"uses" in src/modules/${name}/module.ts has the contracts of ${JSON.stringify(given)}, and "uses" in module.json names ${JSON.stringify(uses)}; write the same modules in both`,
  );
}

/** Creates a subscription. The event determines the type of the handler's data. The handler gets the container of the open module. */
export function on<E extends Event, S = Record<string, unknown>>(
  event: E,
  handle: (data: z.output<E['data']>, unit: ModuleUnit, container: ModuleContainer<S>) => Promise<void>,
): ModuleSubscription<S> {
  return { event, handle };
}

/** Throws a `StartError` when `listensTo` in `module.json` differs from the modules that the subscriptions name. */
export function refuseWrongListensTo({ contract: { name }, about, subscriptions = [] }: ModuleDefinition): void {
  const publishers = [...new Set(subscriptions.map(({ event }) => event.module))].sort();
  if (JSON.stringify(publishers) === JSON.stringify([...about.listensTo].sort())) return;
  const right = `"listensTo": ${JSON.stringify(publishers)}`;
  throw new StartError(
    `"${name}" subscribes to other modules than it declares. Write in src/modules/${name}/module.json: ${right}`,
  );
}
