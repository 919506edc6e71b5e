/**
 * Collects pieces of bytes in one block. The block doubles when it is full, so that small pieces cost no more than their bytes.
 */
export class ByteBuffer {
  #block = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    const wanted = this.#length + piece.length;
    if (wanted > this.#block.length) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, this.#block.length * 2, 1_024));
      this.#block.copy(larger, 0, 0, this.#length);
      this.#block = larger;
    }
    this.#block.set(piece, this.#length);
    this.#length = wanted;
  }

  /** Returns all bytes and empties the buffer. */
  take(): Buffer {
    const whole = this.#block.subarray(0, this.#length);
    this.#block = Buffer.alloc(0);
    this.#length = 0;
    return whole;
  }
}
