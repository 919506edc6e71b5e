import { statSync } from 'node:fs';

const everyMs = 1_000;

/** A file that a database has open. One that is removed takes writes all the same, and loses them without a word. */
export class OpenFile {
  readonly #inode: number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #inPlace = true;

  constructor(readonly path: string) {
    this.#inode = statSync(path).ino;
  }

  /** Whether it is still where it was opened; looked at once a second. */
  get inPlace(): boolean {
    const now = performance.now();
    if (now - this.#lookedAt >= everyMs) {
      this.#lookedAt = now;
      this.#inPlace = statSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode;
    }
    return this.#inPlace;
  }
}
