import { isFailure } from '../../kernel/errors/index.ts';

const kept = 2_000;

interface Counts {
  readonly calls: number;
  readonly failures: number;
  /** Covers the latest calls. Absent before the first call. */
  readonly p50Ms?: number;
  readonly p95Ms?: number;
}

/** Counts calls and failures, and keeps the durations of the latest calls. */
export class CallStatistics {
  #calls = 0;
  #failures = 0;
  readonly #latest: number[] = [];

  /** Makes a call, and adds it when it has ended. */
  observe<T>(call: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const add = (failed: boolean) => this.add(performance.now() - startedAt, failed);
    const answer = call();
    answer.then(
      () => add(false),
      (error: unknown) => add(isFailure(error)),
    );
    return answer;
  }

  add(ms: number, failed: boolean): void {
    this.#latest[this.#calls % kept] = ms;
    this.#calls += 1;
    if (failed) this.#failures += 1;
  }

  /** The number of calls. */
  get counted(): number {
    return this.#calls;
  }

  /** The failures among all calls. */
  get failed(): { readonly hits: number; readonly of: number } {
    return { hits: this.#failures, of: this.#calls };
  }

  /** Counts the latest calls that took longer than `ms`. */
  longerThan(ms: number): { readonly hits: number; readonly of: number } {
    return { hits: this.#latest.filter((each) => each > ms).length, of: this.#latest.length };
  }

  get counts(): Counts {
    const sorted = [...this.#latest].sort((one, other) => one - other);
    const counts = { calls: this.#calls, failures: this.#failures };
    if (sorted.length === 0) return counts;
    const at = (part: number) => {
      const ms = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
      return Math.round(ms * 1_000) / 1_000;
    };
    return { ...counts, p50Ms: at(0.5), p95Ms: at(0.95) };
  }
}
