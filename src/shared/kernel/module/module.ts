import type { z } from 'zod';
import type { Client, Contract, Event } from '../contract/index.ts';
import type { Migration, Reader, Unit } from '../database/index.ts';
import type { Subscription } from '../events/index.ts';
import type { Resources } from '../http-api/index.ts';
import type { Saga, SagaState } from '../saga/index.ts';
import type { ModuleContainer } from './container.ts';
import { type Manifest, manifestSchema } from './manifest.ts';

/** A unit of work in the hands of a module: its data, its events and its sagas leave with one commit. */
export interface ModuleUnit extends Unit {
  /** Tells the modules that subscribe, once this unit is on disk. Throws when `data` does not fit the event. */
  publish<E extends Event>(event: E, data: z.input<E['data']>): Promise<void>;
  /** Starts a saga once this unit is on disk. `id` is its identity: starting the same one twice is an error. */
  begin<D>(saga: Saga<D, ModuleUnit>, id: string, data: D): Promise<void>;
}

/** What an operation that is more than one unit of work is given. */
export interface Steps {
  readonly read: Reader;
  work<T>(task: (unit: ModuleUnit) => Promise<T>): Promise<T>;
  /**
   * Records in `unit`, which makes the effect of a command, what the command answers: one that is repeated, also after a crash, is answered
   * so and runs no step. Call it only where no later step is indispensable. When a run beside this one has answered before, the unit is taken back.
   */
  answer(unit: ModuleUnit, output: unknown): Promise<void>;
  /** Aborted when the answer is no longer wanted: the caller gave up, or its deadline is over. For what takes long outside. */
  readonly signal: AbortSignal;
  /** The state a saga of this module ended in, or `undefined` when it has not within `withinMs`. */
  settled(sagaId: string, withinMs: number): Promise<SagaState | undefined>;
}

type Input<O> = O extends { input: infer I extends z.ZodType } ? z.output<I> : never;
type Output<O> = O extends { output: infer R extends z.ZodType } ? z.input<R> : never;

/**
 * An operation that speaks with others, or waits, between its units of work. After a crash its caller repeats a command of this kind:
 * it runs again from its start, unless the unit that made its effect recorded its answer (`steps.answer`).
 */
export interface InSteps<I, O> {
  readonly inSteps: (input: I, steps: Steps) => Promise<O>;
}

export function inSteps<I, O>(run: (input: I, steps: Steps) => Promise<O>): InSteps<I, O> {
  return { inSteps: run };
}

/** A query gets a reader; a command is one unit of work, remembered with its idempotency key in the same commit. */
export type Handler<O> = O extends { kind: 'query' }
  ? ((input: Input<O>, reader: Reader) => Promise<Output<O>>) | InSteps<Input<O>, Output<O>>
  : ((input: Input<O>, unit: ModuleUnit) => Promise<Output<O>>) | InSteps<Input<O>, Output<O>>;

export type Handlers<C extends Contract> = { readonly [K in keyof C['operations']]: Handler<C['operations'][K]> };

/** Something a module does by itself from time to time, in a unit of work. */
export interface Timer {
  readonly name: string;
  readonly everyMs: number;
  /** `again` when there is more of the same to be done at once, in another unit. */
  run(unit: ModuleUnit): Promise<'again' | undefined>;
}

/** A module when it is open: what stands behind its contract. */
export interface ModuleImplementation<C extends Contract> {
  readonly operations: Handlers<C>;
  readonly subscriptions?: readonly Subscription<ModuleUnit>[];
  readonly sagas?: readonly Saga<never, ModuleUnit>[];
  readonly timers?: readonly Timer[];
  /** Fills an empty database, once. */
  seed?(unit: ModuleUnit): Promise<void>;
  close?(): Promise<void>;
}

/** A module as `app.ts` lists it: known to every process, opened by the one that runs it. */
export interface ModuleDefinition<C extends Contract = Contract, S extends z.ZodObject = z.ZodObject> {
  readonly contract: C;
  readonly about: Manifest;
  /** Whether it is part of the system and not of this artifact: it has no data here. */
  readonly elsewhere?: true;
  /** Settings of its own: names as in the environment, each with a default. */
  readonly settings?: S;
  readonly migrations: readonly Migration[];
  /** Its public resources, made from nothing but its own contract. */
  readonly routes?: (self: Client<C>) => Resources;
  readonly subscribesTo?: readonly Event[];
  readonly open: (container: ModuleContainer<z.output<S>>) => ModuleImplementation<C>;
}

export function defineModule<C extends Contract, S extends z.ZodObject>(
  definition: ModuleDefinition<C, S>,
): ModuleDefinition {
  const about = manifestSchema.parse(definition.about);
  return { ...definition, about } as unknown as ModuleDefinition;
}

/** A subscription whose handler is typed by its event. */
export function on<E extends Event>(
  event: E,
  handle: (data: z.output<E['data']>, unit: ModuleUnit) => Promise<void>,
): Subscription<ModuleUnit> {
  return { event, handle: handle as Subscription<ModuleUnit>['handle'] };
}
