import { ByteBuffer } from '../../kernel/http-listener/index.ts';

const newline = 10;

/** Splits a stream of bytes into lines. */
export class Lines {
  readonly #rest = new ByteBuffer();
  private readonly limitBytes: number;

  /** `limitBytes` is the maximum length of a line. */
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Returns the lines that `chunk` completes. Throws a `RangeError` when a line is longer than the limit. */
  take(chunk: Buffer): string[] {
    const end = chunk.lastIndexOf(newline);
    if (end < 0) {
      this.#add(chunk);
      return [];
    }
    const head = chunk.subarray(0, end);
    if (this.#rest.length > 0) this.#rest.add(head);
    const whole = this.#rest.length > 0 ? this.#rest.take() : head;
    if (end + 1 < chunk.length) this.#rest.add(chunk.subarray(end + 1));
    return whole.toString('utf8').split('\n');
  }

  /** Returns the text after the last line break. */
  end(): string {
    return this.#rest.take().toString('utf8');
  }

  #add(piece: Buffer): void {
    if (this.#rest.length + piece.length > this.limitBytes)
      throw new RangeError(`a line is longer than ${this.limitBytes} bytes`);
    this.#rest.add(piece);
  }
}
