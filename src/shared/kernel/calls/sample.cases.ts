import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import { currentContext, systemClock } from '../context/index.ts';
import { type Client, command, contract, query } from '../contract/index.ts';
import { refusal } from '../errors/index.ts';
import { commandMigrations, Dispatcher } from '../module/index.ts';
import { silentLog, toTraceFields } from '../telemetry/index.ts';
import { byDeadline } from './deadlines.ts';
import type { Dispatch, Serve } from './transport.ts';

const note = z.object({ text: z.string(), tags: z.array(z.string()).optional() });
const none = z.object({});
const call = z.object({ id: z.string() });
const maybe = z.string().optional();
const told = z.record(z.string(), z.string().nullable());
const values = z.object({
  texts: z.array(z.string()),
  whole: z.array(z.int()),
  numbers: z.array(z.number()),
  yes: z.boolean(),
  maybe: z.string().nullable(),
  byName: z.record(z.string(), z.number()),
  either: z.array(z.union([z.string(), z.int(), z.object({ kind: z.enum(['a', 'b']) })])),
  lists: z.array(z.array(z.object({ inner: z.object({ deep: z.array(z.string()) }).optional() }))),
  absent: z.string().optional(),
});

/** A schema that adds, drops and changes values when it parses. */
const booking = z.object({
  labels: z.record(z.string().toLowerCase(), z.string()),
  at: z.iso.datetime().default(() => new Date(++minute * 60_000).toISOString()),
  reference: z.string().prefault(() => `reference-${++minute}`),
  guest: z.union([
    z.object({ member: z.string() }),
    z.object({ name: z.string().trim(), seat: z.int().default(() => ++minute) }),
  ]),
  rooms: z.array(
    z.object({
      beds: z.number(),
      note: z
        .string()
        .nullable()
        .default(() => `note ${++minute}`),
    }),
  ),
  remark: z.string().optional(),
});
let minute = 0;

/** The contract of a module, with an operation for each promise of a transport. */
export const sample = contract('sample', {
  operations: {
    echo: query({ summary: 'Answers what it is sent', input: note, output: note }),
    values: query({ summary: 'Answers values of every kind', input: values, output: values }),
    grow: query({ summary: 'Answers so many letters', input: z.object({ letters: z.int() }), output: note }),
    count: command({ summary: 'Counts how often it was done', input: none, output: z.object({ n: z.int() }) }),
    add: command({ summary: 'Adds up', input: z.object({ n: z.int() }), output: z.object({ sum: z.int() }) }),
    addSlowly: command({
      summary: 'Adds up when let',
      input: z.object({ n: z.int() }),
      output: z.object({ sum: z.int() }),
    }),
    keep: command({ summary: 'Keeps what it is sent', input: note, output: note }),
    book: command({ summary: 'Books', input: booking, output: z.object({ n: z.int() }) }),
    strict: query({
      summary: 'Takes no more than it says',
      input: z.strictObject({ n: z.int() }),
      output: z.object({ n: z.number() }),
    }),
    refuse: query({ summary: 'Refuses with data', input: none, output: none }),
    refuseWith: query({ summary: 'Refuses with much', input: z.object({ letters: z.int() }), output: none }),
    refuseAs: query({ summary: 'Refuses as it is told', input: z.object({ code: z.string() }), output: none }),
    fail: query({ summary: 'Fails with a secret', input: none, output: none }),
    lie: query({ summary: 'Answers what it does not say', input: none, output: z.object({ n: z.int() }) }),
    never: query({ summary: 'Does not answer', input: none, output: none, timeoutMs: 100 }),
    when: query({ summary: 'Answers when it is let', input: none, output: none }),
    // Longer than the timeout of a case: a case that wrongly waits for this deadline fails.
    hold: query({ summary: 'Answers when its caller has cancelled', input: call, output: none, timeoutMs: 60_000 }),
    relay: query({ summary: 'Holds another call', input: call, output: none, timeoutMs: 60_000 }),
    find: query({ summary: 'Takes and answers text, or nothing', input: maybe, output: maybe }),
    clear: command({ summary: 'Counts, and answers nothing', input: none, output: maybe }),
    clearSlowly: command({ summary: 'The same in steps', input: maybe, output: maybe }),
    whoAsks: command({ summary: 'Tells its context', input: none, output: told }),
    whoAsksNext: query({ summary: 'Tells the context of a call it makes', input: none, output: told }),
    timeLeft: query({ summary: 'Tells how long its caller waits', input: none, output: z.object({ ms: z.int() }) }),
  },
  errors: {
    'too-late': { status: 409, title: 'Too late', data: z.object({ since: z.string() }) },
    plain: { status: 418, title: 'Just no' },
  },
});

/** Blocks its waiters until a test opens it. */
export class TestGate {
  #gate = Promise.withResolvers<void>();

  get passed(): Promise<void> {
    return this.#gate.promise;
  }

  shut(): void {
    this.#gate = Promise.withResolvers<void>();
  }

  open(): void {
    this.#gate.resolve();
  }
}

/** The open calls at the callee, as the callee sees them. */
class HangingCalls {
  readonly #calls = new Map<string, { begun: PromiseWithResolvers<void>; told: PromiseWithResolvers<void> }>();
  #open = 0;
  #whenNone: (() => void) | undefined;

  /** Number of open calls. */
  get open(): number {
    return this.#open;
  }

  /** Resolves when the callee has received the call. */
  begun(id: string): Promise<void> {
    return this.#of(id).begun.promise;
  }

  /** Resolves when the call is cancelled at the callee. */
  told(id: string): Promise<void> {
    return this.#of(id).told.promise;
  }

  async none(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#whenNone = resolve));
  }

  async hold(id: string): Promise<object> {
    const { begun, told } = this.#of(id);
    this.#open += 1;
    begun.resolve();
    currentContext()!.cancellation!.onCancel(() => told.resolve());
    await told.promise;
    this.#open -= 1;
    if (this.#open === 0) this.#whenNone?.();
    return {};
  }

  #of(id: string) {
    let known = this.#calls.get(id);
    if (!known) {
      known = { begun: Promise.withResolvers(), told: Promise.withResolvers() };
      this.#calls.set(id, known);
    }
    return known;
  }
}

/** The callee's internal state, for a test to observe and control. */
export const callee = {
  hanging: new HangingCalls(),
  /** For `when` and `addSlowly`. */
  gate: new TestGate(),
  /** Values that the module received through `keep`. */
  kept: [] as { text: string; tags?: string[] }[],
  /** Number of additions, and their sum. */
  added: { times: 0, sum: 0 },
  /** Number of times it was cleared. */
  cleared: 0,
  /** The client with which the module calls itself. */
  self: undefined as Client<typeof sample> | undefined,
};

let counted = 0;
const add = ({ n }: { n: number }) => {
  callee.added.times += 1;
  callee.added.sum += n;
  return { sum: callee.added.sum };
};

const clear = (): undefined => {
  callee.cleared += 1;
};

const handlers = {
  count: async () => ({ n: ++counted }),
  add: async (input: { n: number }) => add(input),
  book: async () => ({ n: ++counted }),
  addSlowly: {
    inSteps: async (input: { n: number }) => {
      await callee.gate.passed;
      return add(input);
    },
  },
  echo: async (input: unknown) => input,
  values: async (input: unknown) => input,
  grow: async ({ letters }: { letters: number }) => ({ text: 'x'.repeat(letters) }),
  keep: { inSteps: async (input: never) => callee.kept[callee.kept.push(input) - 1] },
  strict: async (input: unknown) => input,
  refuse: async () => {
    throw sample.refuse('too-late', 'it was over', { since: 'yesterday' });
  },
  refuseWith: async ({ letters }: { letters: number }) => {
    throw sample.refuse('too-late', 'it was over', { since: 'x'.repeat(letters) });
  },
  refuseAs: async ({ code }: { code: string }) => {
    throw code === 'plain'
      ? sample.refuse('plain')
      : refusal(code as 'forbidden', 'by its own words', { seen: [1, 2] });
  },
  fail: async () => {
    throw new Error('the secret is 1234');
  },
  lie: async () => ({ n: 'not a number' }),
  never: () => new Promise(() => {}),
  when: async () => {
    await callee.gate.passed;
    return {};
  },
  hold: ({ id }: { id: string }) => callee.hanging.hold(id),
  relay: ({ id }: { id: string }) => callee.self!.hold({ id }),
  find: async (input: unknown) => input,
  clear: async () => clear(),
  clearSlowly: { inSteps: async () => clear() },
  whoAsks: {
    inSteps: async () => {
      const { requestId, member, roles, caller, idempotencyKey, trace } = currentContext()!;
      return {
        requestId,
        member: member ?? null,
        roles: roles?.join(' ') ?? null,
        caller,
        idempotencyKey: idempotencyKey ?? null,
        ...{ traceparent: null, tracestate: null, baggage: null, ...toTraceFields(trace) },
      };
    },
  },
  whoAsksNext: () => callee.self!.whoAsks({}),
  timeLeft: async () => ({ ms: Math.round(currentContext()!.deadline - Date.now()) }),
};

const file = join(mkdtempSync(join(tmpdir(), 'kerf-transport-')), 'sample.db');
const database = openSqlite('sample', file, commandMigrations);
const steps = { read: database, work: database.work.bind(database) };
export const dispatch: Dispatch = new Dispatcher(sample, handlers as never, steps as never, systemClock, silentLog)
  .dispatch;

/** Serves calls in the callee's process, as the host does. */
export const serve: Serve = (module, name, input, context) =>
  byDeadline(dispatch(name, input, context), context, { module, name });
