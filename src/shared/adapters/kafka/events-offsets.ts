/** Tracks the progress in a partition. Events begin in the order of the partition and end in any order. */
export class Offsets {
  readonly #open = new Set<bigint>();
  #next: bigint | undefined;
  #committed: bigint | undefined;

  begin(offset: bigint): void {
    this.#open.add(offset);
    this.#next = offset + 1n;
  }

  /** Marks an event as taken, so that Kafka need not deliver it again. */
  end(offset: bigint): void {
    this.#open.delete(offset);
  }

  /** Offset to commit: the lowest that is not taken. Undefined when it is already committed. */
  get due(): bigint | undefined {
    const [lowest = this.#next] = this.#open;
    return lowest === this.#committed ? undefined : lowest;
  }

  committed(offset: bigint): void {
    this.#committed = offset;
  }
}
