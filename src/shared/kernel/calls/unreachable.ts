import { refusal } from '../errors/index.ts';
import { markNotSent } from './resilience/delivery-status.ts';
import type { Transport } from './transport.ts';

/** Maps a connection failure to the caller's `unavailable`. `sent` says whether the callee may have received the call. */
export function unreachableBecause(module: string, error: unknown, sent: boolean): Error {
  const refused = refusal('unavailable', `${module} cannot be reached`, {}, { cause: error });
  return sent ? refused : markNotSent(refused);
}

/** Returns the transport of a module that cannot be reached now. It refuses every call at once. */
export function unreachable(module: string): Transport {
  return {
    call: () => Promise.reject(refusal('unavailable', `${module} cannot be reached`)),
  };
}
