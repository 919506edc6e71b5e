import { type Cancel, steadyClock } from '../../kernel/context/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import type { StreamLimits } from '../../kernel/http-api/index.ts';

interface Bounds extends StreamLimits {
  /** Maximum time in which the client sends nothing of an upload, or reads nothing of a download, in milliseconds. */
  readonly stalledMs: number;
  /** Which side of the stream is the client. */
  readonly client: 'writes' | 'reads';
  /** Called once when the stream is at its end, with the error if there was one. */
  readonly ended?: (error?: unknown) => void;
}

/**
 * Returns the stream with limits. Reads a part only when its reader asks for it. A limit fails the stream and cancels its source:
 * `body-too-large` for the size, `timeout` for the time.
 */
export function bounded(source: ReadableStream<Uint8Array>, bounds: Bounds): ReadableStream<Uint8Array> {
  return new ReadableStream(new BoundedSource(source, bounds), { highWaterMark: 0 });
}

class BoundedSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #bytes = 0;
  #ended = false;
  #stopTime: Cancel = () => {};
  #stopStall: Cancel = () => {};
  private readonly bounds: Bounds;

  constructor(source: ReadableStream<Uint8Array>, bounds: Bounds) {
    this.#reader = source.getReader();
    this.bounds = bounds;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const { seconds } = this.bounds;
    const late = () => this.#fail(controller, refusal('timeout', `the body took longer than ${seconds} s`));
    this.#stopTime = steadyClock.after(seconds * 1_000, late);
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const { client, maxBytes } = this.bounds;
    this.#stopStall();
    if (client === 'writes') this.#watchStall(controller);
    const read = await this.#reader.read().catch((error) => this.#fail(controller, error));
    this.#stopStall();
    if (this.#ended || !read) return;
    if (read.done) {
      this.#end();
      controller.close();
      return;
    }
    this.#bytes += read.value.length;
    if (this.#bytes > maxBytes) {
      this.#fail(controller, refusal('body-too-large', `at most ${maxBytes} bytes`));
      return;
    }
    controller.enqueue(read.value);
    if (client === 'reads') this.#watchStall(controller);
  }

  async cancel(reason: unknown): Promise<void> {
    this.#end();
    await this.#reader.cancel(reason);
  }

  #watchStall(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const { stalledMs, client } = this.bounds;
    const detail = `the client ${client === 'writes' ? 'sent' : 'read'} nothing for ${stalledMs} ms`;
    this.#stopStall = steadyClock.after(stalledMs, () => this.#fail(controller, refusal('timeout', detail)));
  }

  #fail(controller: ReadableStreamDefaultController<Uint8Array>, error: unknown): undefined {
    if (this.#ended) return;
    this.#end(error);
    controller.error(error);
    this.#reader.cancel(error).catch(() => {});
  }

  #end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopTime();
    this.#stopStall();
    this.bounds.ended?.(error);
  }
}
