import type { CallContext } from '../context/index.ts';
import type { Operation } from '../contract/index.ts';

/** One call of an operation. The input is as the caller gave it: the transport puts it through the schema. */
export interface CallRequest {
  readonly operation: Operation;
  readonly input: unknown;
  readonly context: CallContext;
  /** Makes of an error what a caller in this process sees. Absent when it calls for another process, which sees for itself. */
  readonly toCaller?: (error: unknown, request: CallRequest) => unknown;
}

/**
 * How a module's operations are reached. Resolves with an output that has been through the schema, shares nothing with
 * the callee, and rejects with a `Refusal`: a declared one, or one of the kernel's (`unavailable` when the module cannot be
 * reached, `timeout` at the deadline, `cancelled` when the caller gave up, `internal` for anything else), or with what the
 * request's `toCaller` makes of it.
 */
export interface Transport {
  call(request: CallRequest): Promise<unknown>;
}

/** A way to one other process. */
export interface Link extends Transport {
  /** Ends what it holds open; calls in flight are refused as `unavailable`. */
  close(): Promise<void>;
}

/**
 * Serves one operation: input through the schema, the handler in its context, output through the schema. Whoever brings a call
 * from elsewhere holds its deadline and counts it. For the `request` of a caller of this process that is done here, and it is
 * rejected with what that caller sees.
 */
export type Dispatch = (
  operation: string,
  input: unknown,
  context: CallContext,
  request?: CallRequest,
) => Promise<unknown>;

/** Serves the calls that other processes make, whatever transport brought them. Rejects with a `Refusal` only. */
export type Serve = (module: string, operation: string, input: unknown, context: CallContext) => Promise<unknown>;
