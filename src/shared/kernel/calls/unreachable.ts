import { kernelCodes, Refusal } from '../errors/index.ts';
import { markNotSent } from './delivery-status.ts';

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
