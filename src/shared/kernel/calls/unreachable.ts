import { kernelCodes, Refusal } from '../errors/index.ts';
import { type CallCounter, countSent } from './call-counter.ts';
import { markNotSent } from './resilience/delivery-status.ts';
import type { Transport } from './transport.ts';

/**
 * The `unavailable` of this process: the call got no answer, for the reason in the cause. Any other `unavailable` is an answer,
 * such as of a module whose own callee is away.
 */
export class Unreachable extends Refusal {
  constructor(module: string, cause?: unknown) {
    const { status, title } = kernelCodes.unavailable;
    super('unavailable', status, title, `${module} cannot be reached`, {}, { cause });
  }
}

/** An HTTP answer of another program, such as a proxy. */
export class ForeignAnswer extends Error {
  override readonly name = 'ForeignAnswer';
  readonly status: number | undefined;

  constructor(status: number | undefined) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** Maps a connection failure to the caller's `unavailable`. `sent` says whether the callee may have received the call. */
export function unreachableBecause(module: string, error: unknown, sent: boolean): Unreachable {
  const unreachable = new Unreachable(module, error);
  return sent ? unreachable : markNotSent(unreachable);
}

/** Returns the transport of a module that cannot be reached now. It refuses every call at once. */
export function unreachable(module: string, counter?: CallCounter): Transport {
  return {
    call(request) {
      const answer = Promise.reject(new Unreachable(module));
      countSent(counter, request, undefined, answer);
      return answer;
    },
  };
}
