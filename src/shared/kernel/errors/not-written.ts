import { kernelCodes } from './codes.ts';
import { Refusal } from './refusal.ts';

/**
 * Says that a unit of work had no effect, because its database cannot write now. The cause names the file, the reason and the
 * remedy. A caller learns only that a part of the system is unavailable.
 */
export class NotWritten extends Refusal {
  constructor(module: string, file: string, why: string, cause?: unknown) {
    const forOperators = new Error(`${file} took no write: ${why}`, { cause });
    const { status, title } = kernelCodes.unavailable;
    super('unavailable', status, title, `"${module}" can keep nothing at the moment`, {}, { cause: forOperators });
  }
}

/** Returns the `NotWritten` among an error and its causes. An error with the text of the failed query may wrap it. */
export function notWrittenIn(error: unknown): NotWritten | undefined {
  if (!(error instanceof Error)) return undefined;
  return error instanceof NotWritten ? error : notWrittenIn(error.cause);
}
