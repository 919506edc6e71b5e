import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { nobody } from './background.ts';
import type { Cancellation } from './cancellation.ts';

/** What travels with a call, in-process and over every wire alike. */
export interface CallContext {
  /** One per request that entered the system; in every log line and answer. */
  readonly requestId: string;
  /** W3C trace context, passed on as it came. */
  readonly traceparent?: string;
  /** Who calls: a module's name, `gateway`, `home` (for its operators) or `kernel`. */
  readonly caller: string;
  /** The signed-in member's id. */
  readonly member?: string;
  /** When the answer stops being of use, in milliseconds since 1970. On the wire it is the time left. */
  readonly deadline: number;
  /** Commands only: the same key means the same command, once. */
  readonly idempotencyKey?: string;
  /**
   * Within the process only: resolves when all that the call rests on is on disk; absent when it is. Nothing about the call may
   * leave the process before.
   */
  readonly onDisk?: () => Promise<void>;
  /** Tells when the answer is no longer wanted; nobody tells where there is none. */
  readonly cancellation?: Cancellation;
}

const storage = new AsyncLocalStorage<CallContext>();

/** The context of the call being served, if any. */
export function currentContext(): CallContext | undefined {
  return storage.getStore();
}

/** Adds the context to whatever else travels with the running code. */
export function runInContext<A extends unknown[], T>(context: CallContext, task: (...input: A) => T, ...input: A): T {
  return storage.run(context, task, ...input);
}

/**
 * Runs a task for somebody who called: of what travels with the caller's code it meets the context and nothing else, as it
 * would in another process.
 */
export function serveInContext<I, K, T>(context: CallContext, task: (input: I, key: K) => T, input: I, key: K): T;
export function serveInContext<I, T>(context: CallContext, task: (input: I) => T, input: I): T;
export function serveInContext(context: CallContext, task: Task, input: unknown, key?: unknown): unknown {
  return nobody.runInAsyncScope(enter, undefined, context, task, input, key);
}

type Task = (input: unknown, key: unknown) => unknown;

function enter(context: CallContext, task: Task, input: unknown, key: unknown): unknown {
  storage.enterWith(context);
  return task(input, key);
}

/**
 * Takes the context along, with whatever else travels with the running code: what it returns runs a task in the context of
 * now, wherever and whenever that is.
 */
export function keepContext(): <T>(task: () => T) => T {
  // An `AsyncLocalStorage.snapshot()` would say the same, at a hundred times the price.
  const kept = new AsyncResource('kerf-kept', { requireManualDestroy: true });
  return (task) => kept.runInAsyncScope(task);
}
