const kept = 2_000;

export interface Counts {
  readonly calls: number;
  readonly failures: number;
  /** Of the latest calls; absent while there are none. */
  readonly p95Ms?: number;
}

/** How calls went: how many, how many failed, and how long the latest of them took. */
export class Tally {
  #calls = 0;
  #failures = 0;
  readonly #latest: number[] = [];

  add(ms: number, failed: boolean): void {
    this.#latest[this.#calls % kept] = ms;
    this.#calls += 1;
    if (failed) this.#failures += 1;
  }

  get counts(): Counts {
    const sorted = [...this.#latest].sort((one, other) => one - other);
    const p95 = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))];
    const counts = { calls: this.#calls, failures: this.#failures };
    return p95 === undefined ? counts : { ...counts, p95Ms: Math.round(p95 * 100) / 100 };
  }
}
