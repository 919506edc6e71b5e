const slices = 10;

/** Counts the calls and failures of the last `lengthMs`, to within a tenth of that time. */
export class SlidingWindow {
  readonly #sliceMs: number;
  // Every index is a remainder of `slices`, so no element is undefined.
  readonly #calls = new Uint32Array(slices);
  readonly #failures = new Uint32Array(slices);
  #newest = 0;
  #sum = { calls: 0, failures: 0 };

  constructor(lengthMs: number) {
    this.#sliceMs = lengthMs / slices;
  }

  /** The counts at the time of the last call of `count`. */
  get sum(): { readonly calls: number; readonly failures: number } {
    return this.#sum;
  }

  count(now: number, failed: boolean): void {
    const slice = Math.floor(now / this.#sliceMs);
    if (slice !== this.#newest) this.#moveTo(slice);
    this.#calls[slice % slices]! += 1;
    this.#sum.calls += 1;
    if (!failed) return;
    this.#failures[slice % slices]! += 1;
    this.#sum.failures += 1;
  }

  clear(): void {
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.#sum = { calls: 0, failures: 0 };
  }

  /** Forgets all slices outside the window. Forgets everything when the clock was set back. */
  #moveTo(slice: number): void {
    const passed = slice - this.#newest;
    if (passed < 0 || passed >= slices) this.clear();
    else for (let each = this.#newest + 1; each <= slice; each++) this.#forget(each % slices);
    this.#newest = slice;
  }

  #forget(index: number): void {
    this.#sum.calls -= this.#calls[index]!;
    this.#sum.failures -= this.#failures[index]!;
    this.#calls[index] = 0;
    this.#failures[index] = 0;
  }
}
