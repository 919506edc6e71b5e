/** How far a partition is taken: events begin in its order and end in any. */
export class Offsets {
  readonly #open = new Set<bigint>();
  #next: bigint | undefined;
  #committed: bigint | undefined;

  begin(offset: bigint): void {
    this.#open.add(offset);
    this.#next = offset + 1n;
  }

  /** It is taken: it need not come again. */
  end(offset: bigint): void {
    this.#open.delete(offset);
  }

  /** Where the next process is to begin: at the lowest that is not taken. Undefined while that is where it was committed. */
  get due(): bigint | undefined {
    const [lowest = this.#next] = this.#open;
    return lowest === this.#committed ? undefined : lowest;
  }

  committed(offset: bigint): void {
    this.#committed = offset;
  }
}
