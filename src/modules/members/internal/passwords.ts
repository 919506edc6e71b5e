import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { refusal } from 'kerf/errors';
import { members } from '../contract.ts';

/** Argon2id parameters that OWASP recommends for 19 MiB of memory. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Replaces the hash of an unknown member, at the cost of a real verification. No password has this hash. */
const decoy = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** Default number of parallel hashes. Leaves one processor, and one of Node's four threads, for other work. */
const maxParallel = Math.min(3, Math.max(1, availableParallelism() - 1));

/** Number of callers that may always wait, however slow the machine is. */
const minWaiting = 8;
const maxWaitMs = 2_000;

/**
 * Computes hashes of passwords, a few at a time. Refuses a caller at once when the caller would wait for more than two seconds.
 * A caller that cancels while it waits costs nothing.
 */
export class Passwords {
  readonly #concurrency: number;
  readonly #now: () => number;
  readonly #waiting = new Set<() => void>();
  #running = 0;
  /** Moving average of the time for one hash, in milliseconds. */
  #averageMs = 50;

  /** `now` returns the time in milliseconds since any fixed point. */
  constructor({ concurrency = maxParallel, now = () => performance.now() } = {}) {
    this.#concurrency = concurrency;
    this.#now = now;
  }

  hash(password: string, signal: AbortSignal): Promise<string> {
    return this.run(() => hash(password, parameters), signal);
  }

  /** Checks a password. Takes the same time for an unknown member, so that the timing does not reveal which members exist. */
  async fits(passwordHash: string | undefined, password: string, signal: AbortSignal): Promise<boolean> {
    const fits = await this.run(() => verify(passwordHash ?? decoy, password), signal);
    return fits && passwordHash !== undefined;
  }

  /** Runs `compute` in its turn. Refuses with `passwords-busy`, or with `cancelled` when `signal` aborts first. */
  async run<T>(compute: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (signal.aborted) throw cancelled();
    // A finished computation hands its place to the first that waits.
    if (this.#running < this.#concurrency) this.#running += 1;
    else await this.#wait(signal);
    const begunAt = this.#now();
    try {
      return await compute();
    } finally {
      this.#averageMs += (this.#now() - begunAt - this.#averageMs) / 8;
      const [next] = this.#waiting;
      if (next) this.#waiting.delete(next);
      else this.#running -= 1;
      next?.();
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const rounds = Math.ceil((this.#waiting.size + 1) / this.#concurrency);
    const waitMs = rounds * this.#averageMs;
    if (this.#waiting.size >= minWaiting && waitMs > maxWaitMs) {
      const retryAfter = Math.ceil(waitMs / 1_000);
      throw members.refuse('passwords-busy', `try again in ${retryAfter} s`, { retryAfter });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#waiting.delete(resolve);
      reject(cancelled());
    };
    this.#waiting.add(resolve);
    signal.addEventListener('abort', leave, { once: true });
    await promise;
    signal.removeEventListener('abort', leave);
  }
}

function cancelled(): Error {
  return refusal('cancelled', 'the caller has gone');
}
