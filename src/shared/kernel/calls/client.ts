import { type CallContext, Cancellation, currentContext, deadlineIn, newId } from '../context/index.ts';
import { type CallOptions, type Client, type Contract, defaultTimeoutMs, type Operation } from '../contract/index.ts';
import { isRefusal } from '../errors/index.ts';
import { activeTrace } from '../telemetry/index.ts';
import { composeSteps } from './compose.ts';
import { timedOut } from './deadlines.ts';
import { type RoadHooks, road } from './road.ts';
import type { CallRequest, Transport } from './transport.ts';

/** One operation, ready to be called. */
export type Call = (input: unknown, options?: CallOptions) => Promise<unknown>;

/** Returns the call of an operation for one caller. The call works wherever the module runs at that moment. */
export type CallSource = (operation: Operation, caller: string) => Call;

/**
 * Returns a function that calls `operation` for `caller` on the road (`road.ts`). It asks `transport` at every call, since the module
 * may move under load. Cancelling the call being served also cancels the calls made for it. The caller may shorten the operation's
 * timeout, but not extend it. A module that sends invalid input to another module receives an `Error` and no refusal: the fault is
 * its own.
 */
export function createCall(
  operation: Operation,
  caller: string,
  transport: () => Transport,
  hooks: Pick<RoadHooks, 'observers'> = {},
): Call {
  const longestMs = operation.timeoutMs ?? defaultTimeoutMs;
  const walk = composeSteps(road.caller, { caller, operation, transport, ...hooks });
  return (input, options) => {
    const parent = currentContext();
    const timeoutMs = Math.min(options?.timeoutMs ?? longestMs, longestMs);
    const deadline = deadlineIn(timeoutMs, parent?.deadline);
    if (deadline === undefined) return Promise.reject(timedOut(operation));
    const context: CallContext = {
      requestId: parent?.requestId ?? newId(),
      trace: parent ? parent.trace : activeTrace(),
      caller,
      member: parent?.member,
      roles: parent?.roles,
      deadline,
      idempotencyKey: options?.idempotencyKey,
      onDisk: parent?.onDisk,
      cancellation: new Cancellation(parent?.cancellation),
    };
    return walk({ operation, input, context, signal: options?.signal, toCaller: asCallerSees });
  };
}

/** Creates the client of a contract from the calls of its operations. */
export function createClient<C extends Contract>(contract: C, call: (operation: Operation) => Call): Client<C> {
  const { operations }: Contract = contract;
  return Object.freeze(
    Object.fromEntries(Object.values(operations).map((each) => [each.name, call(each)])),
  ) as Client<C>;
}

/**
 * Maps the error of a failed call to the error that its caller receives. A module that sends invalid input to another module
 * receives a plain `Error`: the fault is its own, and its own caller gave valid input. The module's own resources and the
 * gateway receive `invalid-input` unchanged.
 */
export function asCallerSees(error: unknown, { operation, context }: CallRequest): unknown {
  if (!isRefusal(error, 'invalid-input')) return error;
  if (context.caller === operation.module || context.caller === 'gateway') return error;
  const what = `${operation.module}.${operation.name}`;
  return new Error(`${context.caller} called ${what} with invalid input: ${error.message}`, { cause: error });
}
