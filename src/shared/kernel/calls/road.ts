import { composeSteps, refuseInsideUnit } from '../context/index.ts';
import type { Operation } from '../contract/index.ts';
import { cancelledBefore, timedOut } from './deadlines.ts';
import type { Bulkhead } from './resilience/bulkhead.ts';
import { instance } from './steps/instance.ts';
import { retry } from './steps/retry.ts';
import type { CallRequest, Next, RoadStep, Transport } from './transport.ts';

/** The steps that control may add to the road. */
export interface RoadHooks {
  /** Watch the calls of a caller to an operation: their input, their answer and the time between. */
  readonly observers?: readonly ((caller: string, operation: Operation) => RoadStep)[];
  /** Meet the faults that operators have asked for: a call is delayed, refused, lost or doubled. */
  readonly faults?: readonly RoadStep[];
}

interface CallersPlace extends Pick<RoadHooks, 'observers'> {
  readonly caller: string;
  readonly operation: Operation;
  readonly transport: () => Transport;
}

/**
 * Refuses a call whose deadline has passed, a call inside a unit of work, wherever the module runs, and a call that its caller
 * has cancelled already. The caller's signal cancels the call until it is answered.
 */
const begin = (): RoadStep => (call, next) => {
  try {
    refuseWhatMustNotBegin(call);
  } catch (error) {
    return Promise.reject(error);
  }
  const answer = next(call);
  const { signal, context } = call;
  if (signal) {
    const cancel = () => context.cancellation?.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    const listenNoMore = () => signal.removeEventListener('abort', cancel);
    answer.then(listenNoMore, listenNoMore);
  }
  return answer;
};

function refuseWhatMustNotBegin({ operation, context, signal }: CallRequest): void {
  if (context.deadline === 0) throw timedOut(operation);
  refuseInsideUnit(operation);
  if (context.cancellation?.cancelled || signal?.aborted) throw cancelledBefore(operation);
}

const observe = ({ observers = [], caller, operation }: CallersPlace) =>
  observers.map((make) => make(caller, operation));

/** The module may move while it is called, so every call asks anew where it runs. */
const route =
  ({ transport }: CallersPlace): RoadStep =>
  (call) =>
    transport().call(call);

/** Limits the calls of one caller to the module. A call over the limit waits, or is refused as `overloaded`. */
const bulkhead =
  ({ bulkhead }: { readonly bulkhead: Bulkhead }): RoadStep =>
  (call, next) => {
    const { deadline, cancellation } = call.context;
    return bulkhead.run(() => next(call), { deadline, cancellation, what: call.operation });
  };

const faults = ({ faults = [] }: Pick<RoadHooks, 'faults'>) => faults;

/**
 * The road of a call: all its steps, in their order. A step is a function `(call, next)`: it does its part, and `next` does the rest.
 * Each part of the road is composed once for its place, not for each call. The steps of a few lines are above, the others in `steps/`.
 */
export const road = {
  /** In the process of the caller, for every call. A module that runs here serves it at the end (`in-process.ts`). */
  caller: [begin, observe, route],
  /** To a module in another process, for each caller and operation (`routing/upstream.ts`). */
  upstream: [bulkhead, retry, instance],
  /** To one of its instances, for each attempt. The transport sends it at the end (`wire-transport.ts`). */
  link: [faults],
};

/** Composes a part of the road. `end` takes the calls that have passed all its steps. */
export function compose<Place>(
  steps: readonly ((place: Place) => RoadStep | readonly RoadStep[])[],
  place: Place,
  end: Next = noEnd,
): Next {
  return composeSteps<Place, CallRequest, unknown>(steps, place, end);
}

/** Where the last step sends the call on itself, nothing follows. */
const noEnd: Next = () => Promise.reject(new Error('nothing follows on this road'));
