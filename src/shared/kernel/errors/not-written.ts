import { kernelCodes } from './codes.ts';
import { Refusal } from './refusal.ts';

/**
 * A unit of work whose database takes no write now: nothing of it has happened. It says what is in the way, with the file and what
 * to do, in its cause; a caller learns no more than that a part is not available.
 */
export class NotWritten extends Refusal {
  constructor(module: string, file: string, why: string, cause?: unknown) {
    const forOperators = new Error(`${file} took no write: ${why}`, { cause });
    const { status, title } = kernelCodes.unavailable;
    super('unavailable', status, title, `"${module}" can keep nothing at the moment`, {}, { cause: forOperators });
  }
}

/** The `NotWritten` among an error and its causes: a query that fails is wrapped with its text. */
export function notWrittenIn(error: unknown): NotWritten | undefined {
  if (!(error instanceof Error)) return undefined;
  return error instanceof NotWritten ? error : notWrittenIn(error.cause);
}
