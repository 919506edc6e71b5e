import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { Context } from '@opentelemetry/api';
import { nobody } from './background.ts';
import type { Cancellation } from './cancellation.ts';

/** On whose behalf a call is made. Anonymous requests have neither a member nor roles. */
export interface Principal {
  /** The signed-in member's id. Absent for an API key. */
  readonly member?: string | undefined;
  /** The roles of the member or of the API key. */
  readonly roles?: readonly string[] | undefined;
}

/** The data that travels with a call, in-process and over every wire. */
export interface CallContext extends Principal {
  /** One id per request that enters the system. Every log line and every answer contains it. */
  readonly requestId: string;
  /** The trace: its current span, and its baggage. Absent when the call belongs to no trace. */
  readonly trace?: Context;
  /** The caller: a module's name, `gateway`, `home` (for its operators) or `kernel`. */
  readonly caller: string;
  /** When the answer becomes useless, in milliseconds since 1970. The wire carries the time left instead. */
  readonly deadline: number;
  /** Commands only. Calls with the same key are one command, which takes effect once. */
  readonly idempotencyKey?: string;
  /**
   * Resolves when all data that the call depends on is on disk. Absent when the data is on disk already. The call must not leave
   * the process earlier. Exists within the process only.
   */
  readonly onDisk?: () => Promise<void>;
  /** Tells when the answer is no longer wanted. When absent, the call cannot be cancelled. */
  readonly cancellation?: Cancellation;
}

const storage = new AsyncLocalStorage<CallContext>();

/** Returns the context of the call being served, if any. */
export function currentContext(): CallContext | undefined {
  return storage.getStore();
}

/** Runs a task in the context. The task keeps everything else that travels with the running code. */
export function runInContext<A extends unknown[], T>(context: CallContext, task: (...input: A) => T, ...input: A): T {
  return storage.run(context, task, ...input);
}

/**
 * Runs a task for a caller. The task receives the context, and nothing else that travels with the caller's code, as in another
 * process.
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
 * Captures the current context, with everything else that travels with the running code. Returns a function that runs a task in
 * the captured context at any later time.
 */
export function keepContext(): <T>(task: () => T) => T {
  // `AsyncLocalStorage.snapshot()` would do the same at a hundred times the cost.
  const kept = new AsyncResource('kerf-kept', { requireManualDestroy: true });
  return (task) => kept.runInAsyncScope(task);
}
