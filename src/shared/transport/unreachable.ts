import { refusal } from '../errors/index.ts';
import { neverSent } from '../resilience/index.ts';

/** What a failure of the connection means to the caller. `sent`: whether the callee may have seen the call. */
export function unreachableBecause(module: string, error: unknown, sent: boolean): Error {
  const refused = refusal('unavailable', `${module} cannot be reached`, {}, { cause: error });
  return sent ? refused : neverSent(refused);
}
