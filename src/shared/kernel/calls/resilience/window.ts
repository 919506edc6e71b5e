const slices = 10;

/** How many of the calls of the last `lengthMs` failed, to within a tenth of it. */
export class SlidingWindow {
  readonly #sliceMs: number;
  readonly #calls = new Uint32Array(slices);
  readonly #failures = new Uint32Array(slices);
  #newest = 0;
  #sum = { calls: 0, failures: 0 };

  constructor(lengthMs: number) {
    this.#sliceMs = lengthMs / slices;
  }

  /** What was counted, as of the last time that something was. */
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

  /** Forgets what has fallen out of the window; everything, when the clock was set back. */
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
