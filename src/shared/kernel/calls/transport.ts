import type { CallContext } from '../context/index.ts';
import type { Operation } from '../contract/index.ts';
import type { StepOf } from './compose.ts';

/** The largest input or output of a call, in bytes of JSON. A transport with a lower limit states it in its refusal. */
export const maximumBodyBytes = 8 * 1024 * 1024;

/** One call of an operation. The input is the caller's original value: the transport applies the schema. */
export interface CallRequest {
  readonly operation: Operation;
  readonly input: unknown;
  readonly context: CallContext;
  /** The caller's own signal, which also cancels the call. */
  readonly signal?: AbortSignal | undefined;
  /** The instances of the module to which attempts of this call went. */
  readonly tried?: Set<object>;
  /** Maps an error to the error that a local caller receives. Absent for another process, which maps the error itself. */
  readonly toCaller?: (error: unknown, request: CallRequest) => unknown;
}

/**
 * Calls a module's operations. `call` resolves with an output that passed the schema and shares nothing with the callee.
 * It rejects with a `Refusal`, or with the result of the request's `toCaller`. The refusal is a declared one or one of the
 * kernel's: `unavailable` when the module cannot be reached, `timeout` at the deadline, `cancelled` when the caller cancelled,
 * `internal` for anything else.
 */
export interface Transport {
  call(request: CallRequest): Promise<unknown>;
}

/** Passes a call on, and resolves with its answer. */
export type Next = (call: CallRequest) => Promise<unknown>;

/** One step of the road of a call. */
export type RoadStep = StepOf<CallRequest, unknown>;

/** A call in the process of its callee. */
export interface ServedCall {
  readonly input: unknown;
  readonly context: CallContext;
}

/** One step of the callee's part of the road. */
export type ServeStep = StepOf<ServedCall, unknown>;

/** A transport to one other process. */
export interface Link extends Transport {
  /** Whether several processes take its calls, so that two calls may reach two processes. */
  readonly isShared?: boolean;
  /** Closes its connections and refuses calls in flight as `unavailable`. */
  close(): Promise<void>;
}

/**
 * Serves one operation: checks the input, runs the handler in its context, and checks the output. For a call from another
 * process, the internal service enforces the deadline and counts the call. For a local `request`, this function does both,
 * and rejects with the error that the local caller receives.
 */
export type Dispatch = (
  operation: string,
  input: unknown,
  context: CallContext,
  request?: CallRequest,
) => Promise<unknown>;

/** Serves the calls of other processes, over any transport. Rejects with a `Refusal` only. */
export type Serve = (module: string, operation: string, input: unknown, context: CallContext) => Promise<unknown>;
