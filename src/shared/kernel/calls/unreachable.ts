import { refusal } from '../errors/index.ts';
import { markNotSent } from './resilience/delivery-status.ts';
import type { Transport } from './transport.ts';

/** What a failure of the connection means to the caller. `sent`: whether the callee may have seen the call. */
export function unreachableBecause(module: string, error: unknown, sent: boolean): Error {
  const refused = refusal('unavailable', `${module} cannot be reached`, {}, { cause: error });
  return sent ? refused : markNotSent(refused);
}

/** Stands for a module that cannot be reached now: refuses at once. */
export function unreachable(module: string): Transport {
  return {
    call: () => Promise.reject(refusal('unavailable', `${module} cannot be reached`)),
  };
}
