import type { z } from 'zod';
import type { ManualClock } from '../context/index.ts';
import type { Contract, Event } from '../contract/index.ts';
import type { Reader } from '../database/index.ts';
import type { DefinedModule, UsedContracts } from '../module/index.ts';
import { atEndOfTest } from './end-of-test.ts';
import { type ModuleTestOptions, ModuleUnderTest, type TestedOperations } from './module-under-test.ts';

/** What a test does with a module, beside calling its operations. */
export interface ModuleTools<C extends Contract> extends AsyncDisposable {
  /** All operations, also one with the name of a tool. */
  readonly operations: TestedOperations<C>;
  readonly events: C['events'];
  readonly clock: ManualClock;
  /** The data of the module, for its own queries. */
  readonly database: Reader;
  /**
   * Delivers an event to the module, through its inbox, and resolves when the module is idle again. Rejects when its handler fails: the
   * event then waits in the retry queue. An event with the same `id` is the same event.
   */
  when<E extends Event>(event: E, data: z.input<E['data']>, delivery?: { readonly id?: string }): Promise<void>;
  /** Returns the data of the events of this type that the module has published since the test opened it, as of the last `await`. */
  published<E extends Event>(event: E): z.output<E['data']>[];
  /** Moves the clock, runs the timers, sagas and retries that become due, once each, and resolves when the module is idle. */
  advance(ms: number): Promise<void>;
  /** Resolves when no saga and no event of the module can go on before its time comes. */
  idle(): Promise<void>;
  /** Closes the module and deletes its data. Vitest does this at the end of the test. */
  close(): Promise<void>;
}

/** An open module: its operations by name, and the tools of a test. */
export type TestedModule<C extends Contract> = ModuleTools<C> & Omit<TestedOperations<C>, keyof ModuleTools<C>>;

/**
 * Opens one module alone, on data of its own, in this process. The modules that it uses are stubs, which must keep their contracts.
 *
 *     const orders = await testModule(ordersModule, { stubs: { payments: { authorize: async () => payment } } });
 *     const order = await orders.place(wish, { idempotencyKey: 'one' });
 *     expect(orders.published(orders.events.placed)).toMatchObject([{ orderId: order.id }]);
 *
 * Each promise of the returned object rejects when a stub, or a call to one, has broken a contract meanwhile.
 */
export async function testModule<C extends Contract, S extends z.ZodObject, U extends UsedContracts>(
  definition: DefinedModule<C, S, U>,
  options: ModuleTestOptions<S, U> = {},
): Promise<TestedModule<C>> {
  const module = await ModuleUnderTest.open(definition, options as ModuleTestOptions);
  const tools: ModuleTools<Contract> = {
    operations: module.operations,
    events: definition.contract.events,
    clock: module.clock,
    database: module.database,
    when: (event, data, delivery) => module.when(event, data, delivery?.id),
    published: (event) => module.published(event),
    advance: (ms) => module.advance(ms),
    idle: () => module.idle(),
    close: () => module.close(),
    [Symbol.asyncDispose]: () => module.close(),
  };
  await atEndOfTest(() => module.close());
  return { ...module.operations, ...tools } as unknown as TestedModule<C>;
}
