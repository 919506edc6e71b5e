import {
  byDeadline,
  type CallRequest,
  cancelledBefore,
  kernelOperation,
  type Next,
  type RoadStep,
} from '../../kernel/calls/index.ts';
import { Cancellation, type Clock, newId, pause } from '../../kernel/context/index.ts';
import { isKernelCode, refusal } from '../../kernel/errors/index.ts';
import type { CallFault } from '../admin-contract/index.ts';
import type { CallFaults } from './call-faults.ts';

/**
 * Returns the step of the road in which calls meet the active faults, by caller and operation. The kernel's own operations meet no
 * fault here, so that a fault means the same wherever the modules run.
 */
export function faultStep(faults: CallFaults, clock: Clock): RoadStep {
  return (call, next) => {
    const { operation, context } = call;
    if (kernelOperation(operation.name)) return next(call);
    const fault = faults.met(context.caller, operation.module, operation.name);
    if (!fault) return next(call);
    return byDeadline(inject(fault, faults.delayOf(fault), clock, call, next), context, operation);
  };
}

async function inject(
  fault: CallFault,
  delayMs: number,
  clock: Clock,
  call: CallRequest,
  next: Next,
): Promise<unknown> {
  if (delayMs > 0) await pause(clock, delayMs);
  if (call.context.cancellation?.cancelled) throw cancelledBefore(call.operation);
  if (fault.error && isKernelCode(fault.error)) throw refusal(fault.error, 'a fault that was asked for');
  if (fault.lose === 'call') return lost();
  const answer = fault.double ? twice(call, next) : goOn(call, next);
  if (fault.lose !== 'answer') return answer;
  await answer.catch(() => {});
  return lost();
}

function twice({ context, ...rest }: CallRequest, next: Next): Promise<unknown> {
  const call = { ...rest, context: { ...context, idempotencyKey: context.idempotencyKey ?? newId() } };
  const first = goOn(call, next);
  goOn(call, next).catch(() => {});
  return first;
}

/** Sends the call with a child cancellation, whose release keeps the listeners of the original cancellation. */
function goOn({ context, ...rest }: CallRequest, next: Next): Promise<unknown> {
  return next({ ...rest, context: { ...context, cancellation: new Cancellation(context.cancellation) } });
}

function lost(): Promise<never> {
  return new Promise(() => {});
}
