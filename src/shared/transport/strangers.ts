import { isBetweenProcesses, messageOf } from '../errors/index.ts';
import type { Log } from '../observability/index.ts';

/** Worth a line in the log, and no more than one a minute. */
const strangerEveryMs = 60_000;
const cure =
  'if it is one of this system, see that it has the identity of its module, or the same INTERNAL_KEY or data folder';

/** Logs that callers are not accepted, with the reason, which they are not told. */
export class Strangers {
  #notedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly log: Log) {}

  /** Has no effect for any other error. */
  note(error: unknown, about: { readonly module: string | undefined; readonly from?: string | undefined }): void {
    if (!isBetweenProcesses(error) || performance.now() - this.#notedAt < strangerEveryMs) return;
    this.#notedAt = performance.now();
    const why = messageOf(error.cause ?? error);
    const message =
      error.code === 'unauthenticated' ? 'a caller without a valid service token was refused' : 'a caller was refused';
    this.log.warn({ ...about, why, cure }, message);
  }
}
