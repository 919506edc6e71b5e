const newline = 10;

/** Cuts a stream of bytes into lines. */
export class Lines {
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** `limitBytes`: the longest line there may be. */
  constructor(private readonly limitBytes: number) {}

  /** The lines that `chunk` completes. Throws a `RangeError` when one is longer than the limit. */
  take(chunk: Buffer): string[] {
    const end = chunk.lastIndexOf(newline);
    this.#restBytes += end < 0 ? chunk.length : 0;
    if (this.#restBytes > this.limitBytes) throw new RangeError(`a line is longer than ${this.limitBytes} bytes`);
    if (end < 0) {
      this.#rest.push(chunk);
      return [];
    }
    const head = chunk.subarray(0, end);
    const whole = this.#rest.length > 0 ? Buffer.concat([...this.#rest, head]) : head;
    this.#rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    this.#restBytes = chunk.length - end - 1;
    return whole.toString('utf8').split('\n');
  }

  /** What came after the last line break. */
  end(): string {
    return Buffer.concat(this.#rest).toString('utf8');
  }
}
