import type { CallContext } from '../context/index.ts';
import type { Operation } from '../contract/index.ts';

/** One call of an operation. The input is as the caller gave it: the transport puts it through the schema. */
export interface CallRequest {
  readonly operation: Operation;
  readonly input: unknown;
  readonly context: CallContext;
}

/**
 * How a module's operations are reached. Resolves with an output that has been through the schema, shares nothing with
 * the callee, and rejects with a `Refusal`: a declared one, or one of the kernel's (`unavailable` when the module cannot be
 * reached, `timeout` at the deadline, `internal` for anything else). A module whose input another one refuses gets an
 * `Error` instead: the fault is its own.
 */
export interface Transport {
  call(request: CallRequest): Promise<unknown>;
}

/** Serves one operation: input through the schema, the handler in its context, output through the schema. */
export type Dispatch = (operation: string, input: unknown, context: CallContext) => Promise<unknown>;
