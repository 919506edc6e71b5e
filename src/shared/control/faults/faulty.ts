import {
  byDeadline,
  type CallRequest,
  cancelledBefore,
  kernelOperation,
  type Transport,
} from '../../kernel/calls/index.ts';
import { Cancellation, type Clock, newId } from '../../kernel/context/index.ts';
import { isKernelCode, refusal } from '../../kernel/errors/index.ts';
import type { CallFault, CallFaults } from './call-faults.ts';

/**
 * Injects the active faults into calls, by caller and operation. The kernel's own operations meet no fault here, so that a fault means
 * the same wherever the modules run.
 */
export class FaultyTransport implements Transport {
  private readonly way: Transport;
  private readonly faults: CallFaults;
  private readonly clock: Clock;

  constructor(way: Transport, faults: CallFaults, clock: Clock) {
    this.way = way;
    this.faults = faults;
    this.clock = clock;
  }

  call(request: CallRequest): Promise<unknown> {
    const { operation, context } = request;
    if (kernelOperation(operation.name)) return this.way.call(request);
    const fault = this.faults.met(context.caller, operation.module, operation.name);
    if (!fault) return this.way.call(request);
    return byDeadline(this.#suffer(fault, request), context, operation);
  }

  async #suffer(fault: CallFault, request: CallRequest): Promise<unknown> {
    const delayMs = this.faults.delayOf(fault);
    if (delayMs > 0) await new Promise<void>((resolve) => this.clock.after(delayMs, resolve));
    if (request.context.cancellation?.cancelled) throw cancelledBefore(request.operation);
    if (fault.error && isKernelCode(fault.error)) throw refusal(fault.error, 'a fault that was asked for');
    if (fault.lose === 'call') return lost();
    const answer = fault.double ? this.#twice(request) : this.#goOn(request);
    if (fault.lose !== 'answer') return answer;
    await answer.catch(() => {});
    return lost();
  }

  #twice({ context, ...rest }: CallRequest): Promise<unknown> {
    const request = { ...rest, context: { ...context, idempotencyKey: context.idempotencyKey ?? newId() } };
    const first = this.#goOn(request);
    this.#goOn(request).catch(() => {});
    return first;
  }

  /** Sends the call with a child cancellation, whose release keeps the listeners of the original cancellation. */
  #goOn({ context, ...rest }: CallRequest): Promise<unknown> {
    return this.way.call({ ...rest, context: { ...context, cancellation: new Cancellation(context.cancellation) } });
  }
}

function lost(): Promise<never> {
  return new Promise(() => {});
}
