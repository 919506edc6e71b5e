import { Cancellation, type GivenUp } from '../context/index.ts';
import { refusal } from '../errors/index.ts';
import { markDeliveryUnknown } from './resilience/delivery-status.ts';

interface What {
  readonly module: string;
  readonly name: string;
}

/** What becomes of the outcome of calls, each for somebody; `failed` returns what it is rejected with. */
export interface Ending<T = unknown, W = unknown> {
  done(value: T, forWhom: W): T;
  failed(error: unknown, forWhom: W): unknown;
}

interface Until {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly cancellation?: Cancellation;
}

/**
 * Rejects with `timeout` when `work` has not settled by the deadline (to within 32 ms), and tells the cancellation; rejects with
 * `cancelled` when that is told by somebody else. When it has settled, nobody who worked for it listens to the cancellation any
 * more: it must be this call's own. What `work` settles with goes through `ending`, also when nobody waits any more.
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
    cancellation.wait(until.deadline, (why) => reject(gaveUp(why, what)));
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

function gaveUp(why: GivenUp, what: What): Error {
  return why === 'late' ? timedOut(what) : cancelledBefore(what);
}

/** That this process has had no answer in time. */
export function timedOut(what: What): Error {
  return markDeliveryUnknown(saidLate(what));
}

/** That the callee says so itself. */
export function saidLate({ module, name }: What): Error {
  return refusal('timeout', `${module}.${name} did not answer in time`);
}

export function cancelledBefore({ module, name }: What): Error {
  return refusal('cancelled', `who asked for ${module}.${name} has gone`);
}
