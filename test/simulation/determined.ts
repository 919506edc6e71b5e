import { passTime } from '../../src/shared/kernel/context/deadline-timer.ts';
import { beginIdsAnew } from '../../src/shared/kernel/context/index.ts';
import type { Random } from './random.ts';

const { now } = Date;
const { getRandomValues } = crypto;
const { timeout } = AbortSignal;
const machine = { now, getRandomValues, timeout, fetch };

/**
 * Replaces the machine's clock, random numbers and `fetch` by the simulation's. This covers code that bypasses the kernel:
 * the transport's deadlines, the id library, and clients of the outside world. Returns a function that restores the originals.
 */
export function determine(time: () => number, random: Random, fetch: unknown): () => void {
  Date.now = time;
  passTime();
  globalThis.fetch = fetch as typeof globalThis.fetch;
  AbortSignal.timeout = () => new AbortController().signal;
  crypto.getRandomValues = (<T extends Uint8Array>(bytes: T): T => {
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = random.whole(0, 255);
    return bytes;
  }) as never;
  beginIdsAnew();
  return () => {
    Date.now = machine.now;
    passTime();
    crypto.getRandomValues = machine.getRandomValues;
    beginIdsAnew();
    globalThis.fetch = machine.fetch;
    AbortSignal.timeout = machine.timeout;
  };
}
