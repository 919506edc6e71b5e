import { isBetweenProcesses, messageOf } from '../errors/index.ts';
import { type Log, OncePerMinute } from '../telemetry/index.ts';

const cure =
  'if it is one of this system, see that it has the identity of its module, or the same INTERNAL_KEY or data folder';

/** Logs refused callers at most once a minute, with the reason. The callers do not receive the reason. */
export class UnauthenticatedCallers {
  readonly #limit = new OncePerMinute();
  private readonly log: Log;

  constructor(log: Log) {
    this.log = log;
  }

  /** Logs a refusal between processes. Ignores any other error. */
  note(error: unknown, about: { readonly module: string | undefined; readonly from?: string | undefined }): void {
    if (!isBetweenProcesses(error) || !this.#limit.passes()) return;
    const why = messageOf(error.cause ?? error);
    const message =
      error.code === 'unauthenticated' ? 'a caller without a valid service token was refused' : 'a caller was refused';
    this.log.warn({ ...about, why, cure }, message);
  }
}
