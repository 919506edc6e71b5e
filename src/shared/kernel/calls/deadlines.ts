import { Cancellation, type CancelReason } from '../context/index.ts';
import { refusal } from '../errors/index.ts';
import { markDeliveryUnknown } from './delivery-status.ts';

interface What {
  readonly module: string;
  readonly name: string;
}

/** Processes the outcome of a call for its recipient, `forWhom`. `failed` returns the error that the call rejects with. */
export interface Ending<T = unknown, W = unknown> {
  done(value: T, forWhom: W): T;
  failed(error: unknown, forWhom: W): unknown;
  /** Called when the recipient waits no longer. `done` or `failed` follows when the call settles. */
  cancelled?(why: CancelReason, forWhom: W): void;
}

interface Until {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly cancellation?: Cancellation;
}

/**
 * Settles like `work`, within the deadline. Rejects with `timeout` when `work` has not settled by the deadline (to within 32 ms),
 * and triggers the cancellation. Rejects with `cancelled` when the cancellation is triggered earlier. When `work` settles, this
 * function removes all listeners from the cancellation, which must belong to this call alone. The outcome of `work` passes
 * through `ending`, also after a timeout or a cancellation.
 */
export function byDeadline<T>(work: Promise<T>, until: Until, what: What): Promise<T>;
export function byDeadline<T, W>(
  work: Promise<T>,
  until: Until,
  what: What,
  ending: Ending<T, W>,
  forWhom: W,
): Promise<T>;
export function byDeadline<T, W>(
  work: Promise<T>,
  until: Until,
  what: What,
  ending: Ending<T, W | undefined> = asItIs,
  forWhom?: W,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancellation = until.cancellation ?? new Cancellation();
    cancellation.wait(until.deadline, (why) => {
      ending.cancelled?.(why, forWhom);
      reject(errorFor(why, what));
    });
    work.then(
      (value) => {
        cancellation.release();
        try {
          resolve(ending.done(value, forWhom));
        } catch (error) {
          reject(error);
        }
      },
      (error) => {
        cancellation.release();
        try {
          reject(ending.failed(error, forWhom));
        } catch (failed) {
          reject(failed);
        }
      },
    );
  });
}

const asItIs: Ending<never> = { done: (value) => value, failed: (error) => error };

function errorFor(why: CancelReason, what: What): Error {
  return why === 'late' ? timedOut(what) : cancelledBefore(what);
}

/** Returns the `timeout` of a call whose answer did not reach this process in time. */
export function timedOut(what: What): Error {
  return markDeliveryUnknown(saidLate(what));
}

/** Returns the `timeout` that the callee itself reports. */
export function saidLate({ module, name }: What): Error {
  return refusal('timeout', `${module}.${name} did not answer in time`);
}

export function cancelledBefore({ module, name }: What): Error {
  return refusal('cancelled', `the caller of ${module}.${name} has gone`);
}
