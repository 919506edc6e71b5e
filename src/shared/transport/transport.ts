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
 * the callee, and rejects with a `Refusal` only: a declared one, or one of the kernel's (`unavailable` when the module
 * cannot be reached, `timeout` at the deadline, `internal` for anything else).
 */
export interface Transport {
  readonly kind: 'in-process' | 'http';
  call(request: CallRequest): Promise<unknown>;
  /** Resolves when no call is under way; takes no new ones. */
  close(): Promise<void>;
}

/** Serves one operation: input through the schema, the handler in its context, output through the schema. */
export type Dispatch = (operation: string, input: unknown, context: CallContext) => Promise<unknown>;
