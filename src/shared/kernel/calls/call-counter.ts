import type { CallContext, CancelReason } from '../context/index.ts';
import type { Operation } from '../contract/index.ts';
import type { CallRequest } from './transport.ts';

/**
 * Counts calls where they end, each once. A step of the road that watches all calls would cost a call within the process a tenth of its
 * time; this costs almost nothing. The methods must not throw.
 */
export interface CallCounter {
  /** Returns the counter of an operation that a module of this process serves. */
  served(operation: Operation): ServedCounter;
  /** A caller of this process calls a module elsewhere. Without an address, none is known. */
  sent(request: CallRequest, address: string | undefined, answer: Promise<unknown>): void;
}

export interface ServedCounter {
  /** A caller of this process got its answer. */
  answered(caller: string): void;
  /** A caller of this process got an error. */
  failed(caller: string, error: unknown): void;
  /** A caller of this process waits no longer. */
  cancelled(caller: string, why: CancelReason): void;
  /** A call of a caller in this process has begun. Called for one call in `timeOneOf`. */
  timed(context: CallContext, answer: Promise<unknown>): void;
  /** A call of another process has begun. */
  remote(context: CallContext, answer: Promise<unknown>): void;
}

/** One call within the process of this many is timed: to read the clock twice costs a fifth of such a call. */
export const timeOneOf = 128;
