import { randomUUID } from 'node:crypto';
import { type CallRequest, kernelOperation, type RoadHooks, type RoadStep } from '../../kernel/calls/index.ts';
import { traceWait } from '../../kernel/telemetry/index.ts';
import type { Bulkhead } from './resilience/bulkhead.ts';
import { sendToInstance } from './steps/instance.ts';
import { retry } from './steps/retry.ts';

/** Limits the calls of one caller to the module. A call over the limit waits, or is refused as `overloaded`. */
const limitCalls =
  ({ bulkhead }: { readonly bulkhead: Bulkhead }): RoadStep =>
  (call, next) => {
    const { deadline, cancellation, trace } = call.context;
    const ticket = { deadline, cancellation, what: call.operation };
    if (!bulkhead.isFull) return bulkhead.run(() => next(call), ticket);
    return traceWait('wait at the bulkhead', trace, (began) =>
      bulkhead.run(() => {
        began();
        return next(call);
      }, ticket),
    );
  };

/** Waits until the data that the caller has seen is on disk: a call that leaves the process must not depend on data that a power cut can undo. */
const waitForDisk = (): RoadStep => async (call, next) => {
  if (call.context.onDisk) await call.context.onDisk();
  return next(call);
};

/** Gives a command an idempotency key before its first attempt, so that all attempts carry the same key. */
const addKey = (): RoadStep => (call, next) => next(withKey(call));

/** Adds an idempotency key to a command that has none, so that a retry over the network is safe. */
export function withKey(request: CallRequest): CallRequest {
  const { operation, context } = request;
  if (operation.kind === 'query' || context.idempotencyKey || kernelOperation(operation.name)) return request;
  return { ...request, context: { ...context, idempotencyKey: randomUUID() } };
}

const injectFaults = ({ faults = [] }: Pick<RoadHooks, 'faults'>) => faults;

/** The part of a call's road that lies between two processes (`kernel/calls/road.ts` has the rest, and says what a step is). */
export const outgoingRoad = {
  /** To a module in another process, composed for each caller and operation (`upstream.ts`). The steps of a few lines are above. */
  upstream: [limitCalls, waitForDisk, addKey, retry, sendToInstance],
  /** To one of its instances, composed for each. With `PARITY=strict`, a call within the process passes these steps as well. */
  link: [injectFaults],
};
