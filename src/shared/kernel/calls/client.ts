import {
  type CallContext,
  Cancellation,
  currentContext,
  deadlineIn,
  newId,
  refuseInsideUnit,
} from '../context/index.ts';
import { type CallOptions, type Client, type Contract, defaultTimeoutMs, type Operation } from '../contract/index.ts';
import { asCallerSees } from './as-caller-sees.ts';
import { cancelledBefore, timedOut } from './deadlines.ts';
import type { Transport } from './transport.ts';

/** One operation, ready to be called. */
export type Call = (input: unknown, options?: CallOptions) => Promise<unknown>;

/** Returns the call of an operation for one caller. The call works wherever the module runs at that moment. */
export type CallSource = (operation: Operation, caller: string) => Call;

/**
 * Returns a function that calls `operation` for `caller`. The function asks `transport` at every call, since the module may
 * move under load. It rejects a call inside a unit of work, wherever the module runs. Cancelling the call being served also
 * cancels the calls made for it. The caller may shorten the operation's timeout, but not extend it. A module that sends
 * invalid input to another module receives an `Error` and no refusal: the fault is its own.
 */
export function createCall(operation: Operation, caller: string, transport: () => Transport): Call {
  const longestMs = operation.timeoutMs ?? defaultTimeoutMs;
  return (input, options) => {
    const parent = currentContext();
    const deadline = deadlineIn(Math.min(options?.timeoutMs ?? longestMs, longestMs), parent?.deadline);
    if (deadline === undefined) return Promise.reject(timedOut(operation));
    const cancellation = new Cancellation(parent?.cancellation);
    const context: CallContext = {
      requestId: parent?.requestId ?? newId(),
      traceparent: parent?.traceparent,
      caller,
      member: parent?.member,
      deadline,
      idempotencyKey: options?.idempotencyKey,
      onDisk: parent?.onDisk,
      cancellation,
    };
    try {
      refuseInsideUnit(operation);
      if (cancellation.cancelled || options?.signal?.aborted) throw cancelledBefore(operation);
    } catch (error) {
      return Promise.reject(error);
    }
    const answer = transport().call({ operation, input, context, toCaller: asCallerSees });
    if (options?.signal) {
      const listenNoMore = listen(options.signal, () => cancellation.cancel());
      answer.then(listenNoMore, listenNoMore);
    }
    return answer;
  };
}

/** Creates the client of a contract from the calls of its operations. */
export function createClient<C extends Contract>(contract: C, call: (operation: Operation) => Call): Client<C> {
  const operations = Object.values(contract.operations) as Operation[];
  return Object.freeze(Object.fromEntries(operations.map((each) => [each.name, call(each)]))) as Client<C>;
}

function listen(signal: AbortSignal, listener: () => void): () => void {
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
