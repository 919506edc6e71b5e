import { refuseInsideUnit } from '../context/index.ts';
import type { Operation } from '../contract/index.ts';
import type { KernelListener } from '../telemetry/index.ts';
import type { CallCounter } from './call-counter.ts';
import { cancelledBefore } from './deadlines.ts';
import { traceCall, traceServed } from './trace.ts';
import type { CallRequest, RoadStep, ServeStep, Transport } from './transport.ts';

/** The steps that control may add to the road. A step must not throw; it returns a rejected promise. */
export interface RoadHooks {
  /**
   * Steps that watch the calls of a caller to an operation: their input, their answer and the time between. They do not see the kernel's own
   * operations, such as `receive` for pushed events.
   */
  readonly observers?: readonly ((caller: string, operation: Operation) => RoadStep)[];
  /** Steps that inject the faults that operators have switched on: delay, refuse, lose or double a call. They see the kernel's operations too. */
  readonly faults?: readonly RoadStep[];
  /** Steps that watch the calls that a module of this process serves, wherever they come from. */
  readonly servers?: readonly ((operation: Operation) => ServeStep)[];
  readonly counter?: CallCounter | undefined;
  /** Learns of retries, of the choices of balancers, and of events. */
  readonly listener?: KernelListener | undefined;
}

interface CallerDependencies extends Pick<RoadHooks, 'observers'> {
  readonly caller: string;
  readonly operation: Operation;
  readonly transport: () => Transport;
}

/**
 * Refuses a call inside an open unit of work, even when the callee is in this process. Refuses a call that is cancelled already. Until the answer
 * comes, aborting the caller's `signal` cancels the call.
 */
const begin = (): RoadStep => (call, next) => {
  try {
    refuseToBegin(call);
  } catch (error) {
    return Promise.reject(error);
  }
  const answer = next(call);
  const { signal, context } = call;
  if (signal) {
    const cancel = () => context.cancellation?.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    const stopListening = () => signal.removeEventListener('abort', cancel);
    answer.then(stopListening, stopListening);
  }
  return answer;
};

function refuseToBegin({ operation, context, signal }: CallRequest): void {
  refuseInsideUnit(operation);
  if (context.cancellation?.cancelled || signal?.aborted) throw cancelledBefore(operation);
}

const observe = ({ observers = [], caller, operation }: CallerDependencies) =>
  observers.map((make) => make(caller, operation));

/** The module may move between two calls, so each call asks where it runs. */
const route =
  ({ transport }: CallerDependencies): RoadStep =>
  (call) =>
    transport().call(call);

interface CalleeDependencies extends Pick<RoadHooks, 'servers'> {
  readonly operation: Operation;
}

const observeServed = ({ servers = [], operation }: CalleeDependencies) => servers.map((make) => make(operation));

/**
 * The road of a call: its steps, in their order. Each entry makes a step `(call, next)` for its place: the step does its part, and `next`
 * does the rest. `trace.ts` has the steps for spans, this file the others. Before the road begins, `client.ts` gives the call its context:
 * deadline, cancellation, trace.
 *
 *     in the process of the caller                begin, traceCall, observe, route
 *     when the module is in another process       limitCalls, waitForDisk, addKey, retry, sendToInstance, injectFaults
 *     in the process of the callee                traceServed, observeServed
 *
 * `control/routing/road.ts` has the middle part. At its end, a transport sends the call (`kernel/ports/wire-transport.ts`). The call
 * reaches the callee's process by `in-process.ts`, or from another process by `control/host/internal-service.ts`, which checks that the caller's
 * `module.json` names this module, and limits the calls in flight. Both give it to the dispatcher of the module (`kernel/module/dispatcher.ts`),
 * which runs the steps of the callee and then the handler.
 */
export const road = {
  /** Composed for each caller and operation. `route` finds the module, or a detour (canary, mirror). */
  caller: [begin, traceCall, observe, route],
  /** Composed for each operation. At the end, the dispatcher runs the handler. */
  callee: [traceServed, observeServed],
};
