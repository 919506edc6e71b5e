import type { RoadStep } from '../../../kernel/calls/index.ts';
import { isDeliveryUnknown, Unreachable, unreachableBecause } from '../../../kernel/calls/index.ts';
import { isBetweenProcesses, isRefusal, messageOf } from '../../../kernel/errors/index.ts';
import { shownAddress } from '../../../kernel/ports/index.ts';
import {
  isSampled,
  type KernelListener,
  type Log,
  type OncePerMinute,
  setOnSpan,
} from '../../../kernel/telemetry/index.ts';
import type { Balancer } from '../balancer.ts';
import type { CallFailure } from '../resilience/breaker.ts';
import type { UpstreamInstance } from '../upstream-instance.ts';

interface SendDependencies {
  readonly module: string;
  readonly balancer: Balancer;
  readonly log: Log;
  /** Limits the log lines about instances that do not accept this process. */
  readonly refusedLimit: OncePerMinute;
  readonly listener?: KernelListener | undefined;
}

/** Chooses an instance and sends it the call. The breaker and the balancer learn how the call ended. The last step before the link. */
export const sendToInstance = (parts: SendDependencies): RoadStep => {
  const { balancer, module, listener } = parts;
  return async (call) => {
    const chosen = balancer.pick(call.tried);
    if (!chosen) throw noInstance(parts);
    call.tried?.add(chosen);
    listener?.picked(module);
    const { breaker, link, address } = chosen;
    const { trace } = call.context;
    if (isSampled(trace)) setOnSpan(trace, 'server.address', shownAddress(address));
    const pass = breaker.admits();
    chosen.inFlight += 1;
    try {
      const answer = await link.call(call);
      breaker.succeeded(pass);
      return answer;
    } catch (error) {
      const failure = failureOf(error);
      noteRefused(parts, chosen, error);
      if (failure) balancer.failed(chosen, error);
      if (failure) breaker.failed(pass, failure);
      if (failure === 'faulty') balancer.suspect(chosen);
      if (!failure && isRefusal(error, 'cancelled')) breaker.released(pass);
      else if (!failure) breaker.succeeded(pass);
      throw error;
    } finally {
      balancer.answered(chosen);
    }
  };
};

function noInstance({ module, balancer: { lastFailure } }: SendDependencies): Error {
  const cause = isRefusal(lastFailure) ? lastFailure.cause : lastFailure;
  return unreachableBecause(module, cause, false);
}

/**
 * Returns how the instance failed, or `undefined` when it works. An instance that answers works, even if the answer is an error:
 * the same error would occur in-process. An instance that does not accept this process counts as failed. An instance that refuses a
 * single caller works.
 */
function failureOf(error: unknown): CallFailure | undefined {
  if (!(error instanceof Unreachable)) return isDeliveryUnknown(error) ? 'faulty' : undefined;
  const refusesCaller = isBetweenProcesses(error.cause) && error.cause.code === 'forbidden';
  return refusesCaller ? undefined : 'unreachable';
}

/** Logs at most once a minute why an instance does not accept calls of this process. Callers do not receive the reason. */
function noteRefused(
  { module, log, refusedLimit }: SendDependencies,
  { address }: UpstreamInstance,
  error: unknown,
): void {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!isBetweenProcesses(cause) || !refusedLimit.passes()) return;
  const about = { module, address, code: cause.code, why: messageOf(cause) };
  log.error(about, 'an instance does not accept calls of this process');
}
