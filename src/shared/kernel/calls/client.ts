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

/** How an operation is called by a caller, wherever its module runs at that moment. */
export type CallSource = (operation: Operation, caller: string) => Call;

/**
 * Calls `operation` for `caller`. `transport` is asked at every call: where the module runs may change under load. A call
 * inside a unit of work is refused, wherever the module runs. Who gives up on the call that is being served, gives up on the
 * calls made for it. It may have less time than the operation's, and no more. A module whose input another one refuses gets an `Error`, no refusal: the fault is its own.
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

/** The client of a contract, made of its operations' calls. */
export function createClient<C extends Contract>(contract: C, call: (operation: Operation) => Call): Client<C> {
  const operations = Object.values(contract.operations) as Operation[];
  return Object.freeze(Object.fromEntries(operations.map((each) => [each.name, call(each)]))) as Client<C>;
}

function listen(signal: AbortSignal, listener: () => void): () => void {
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
