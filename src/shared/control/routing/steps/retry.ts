import type { CallRequest, RoadStep } from '../../../kernel/calls/index.ts';
import { cancelledBefore, isNotSent } from '../../../kernel/calls/index.ts';
import type { Cancellation, Clock } from '../../../kernel/context/index.ts';
import { addSpanEvent, type KernelListener } from '../../../kernel/telemetry/index.ts';
import type { Balancer } from '../balancer.ts';
import { backOffMs, mayRetry, type RetryBudget } from '../resilience/retrying.ts';

interface RetryDependencies {
  /** Maximum number of attempts of a call. */
  readonly attempts: number;
  readonly budget: RetryBudget;
  readonly balancer: Pick<Balancer, 'canPick' | 'pick'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly listener?: KernelListener | undefined;
}

/**
 * Makes attempts until one succeeds, while another attempt is safe and the policies, the budget and the deadline admit it.
 */
export const retry = (parts: RetryDependencies): RoadStep => {
  const { attempts, budget, balancer } = parts;
  return async (call, next) => {
    const tried = new Set<object>();
    const attempted = { ...call, tried };
    let failed: unknown;
    for (let attempt = 1; ; attempt++) {
      if (attempt > 1 && !balancer.canPick) throw failed;
      // The next step says that there is no instance: no attempt will help.
      if (!balancer.canPick) return next(attempted);
      if (attempt === 1) budget.called();
      try {
        return await next(attempted);
      } catch (error) {
        if (attempt >= attempts) throw error;
        failed = error;
      }
      await beforeAnother(parts, attempted, attempt, failed);
    }
  };
};

/** Waits for the back-off before the next attempt. Throws the call's error when there must be no other attempt. */
async function beforeAnother(
  parts: RetryDependencies,
  call: CallRequest,
  attempt: number,
  failed: unknown,
): Promise<void> {
  const { operation, context, tried } = call;
  const { cancellation, deadline, idempotencyKey } = context;
  const { balancer, budget, clock, random, listener } = parts;
  if (!mayRetry(operation.kind, idempotencyKey !== undefined, failed)) throw failed;
  const next = balancer.pick(tried);
  const another = next !== undefined && !tried?.has(next) && isNotSent(failed);
  const delayMs = another ? 0 : backOffMs(attempt, random);
  if (cancellation?.cancelled) throw cancelledBefore(operation);
  if (clock.now() + delayMs >= deadline || !budget.admitsRetry()) throw failed;
  addSpanEvent(context.trace, 'retry', { 'kerf.attempt': attempt + 1, 'kerf.delay_ms': delayMs });
  listener?.retried({ caller: context.caller, module: operation.module, operation: operation.name });
  if (delayMs > 0) await pause(delayMs, clock, cancellation);
  if (cancellation?.cancelled) throw cancelledBefore(operation);
}

/** Waits for `delayMs`. Resolves at once when the call is cancelled. */
function pause(delayMs: number, clock: Clock, cancellation: Cancellation | undefined): Promise<void> {
  return new Promise((resolve) => {
    const listenNoMore = cancellation?.onCancel(() => {
      wakeNoMore();
      resolve();
    });
    const wakeNoMore = clock.after(delayMs, () => {
      listenNoMore?.();
      resolve();
    });
  });
}
