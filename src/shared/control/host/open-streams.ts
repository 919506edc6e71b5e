import type { StreamStep, StreamStepAnswer } from '../../kernel/calls/index.ts';
import { type CallContext, Cancellation, type Clock } from '../../kernel/context/index.ts';
import { fromProblem, refusal, toProblem } from '../../kernel/errors/index.ts';
import { fromPassedOn, toPassedBack } from './passed-on.ts';

/** How long a step waits for the other side before it reports that nothing has happened. */
const waitMs = 2_000;
const maxPartBytes = 256 * 1024;
const maxOpen = 1_000;

export interface OpenStreamsDependencies {
  readonly clock: Clock;
  /** Ends a stream that the gateway has forgotten, in milliseconds. */
  readonly idleMs: number;
  readonly serve: (request: Request, context: CallContext) => Promise<Response>;
  /** Learns of an answer that broke off in the middle. */
  readonly failed: (error: unknown, request: Request) => void;
}

/** The requests to one module whose body or answer travels in parts: the far end of `gateway/forward-stream.ts`. */
export class OpenStreams {
  readonly #open = new Map<string, OpenStream>();
  private readonly parts: OpenStreamsDependencies;

  constructor(parts: OpenStreamsDependencies) {
    this.parts = parts;
  }

  async take(input: StreamStep, context: CallContext): Promise<StreamStepAnswer> {
    const { id, step } = input;
    if (step === 'open') {
      if (this.#open.size >= maxOpen) throw refusal('overloaded', 'too many streams are open', { retryAfter: 1 });
      this.#open.set(id, new OpenStream(input, context, this.parts, () => this.#open.delete(id)));
      return {};
    }
    const stream = this.#open.get(id);
    if (!stream && step === 'cancel') return {};
    if (!stream) throw refusal('unavailable', 'the stream has ended');
    return stream.take(input);
  }
}

class OpenStream {
  readonly #cancellation = new Cancellation();
  readonly #request: Request;
  readonly #answer: Promise<Response>;
  #upload: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Resolves the step that waits until the handler has read the upload. */
  #roomMade: () => void = () => {};
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #reading: ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']> | undefined;
  #left: Uint8Array | undefined;
  /** Steps in progress. */
  #busy = 0;
  #forget: () => void = () => {};
  private readonly parts: OpenStreamsDependencies;
  private readonly ended: () => void;

  constructor(input: StreamStep, context: CallContext, parts: OpenStreamsDependencies, ended: () => void) {
    this.parts = parts;
    this.ended = ended;
    this.#request = fromPassedOn(input.request!, input.uploads ? this.#body() : undefined);
    this.#answer = parts.serve(this.#request, { ...context, cancellation: this.#cancellation });
    this.#answer.catch(() => {});
    this.#watchIdle();
  }

  async take(input: StreamStep): Promise<StreamStepAnswer> {
    this.#forget();
    this.#busy += 1;
    try {
      if (input.step === 'push') return await this.#push(input);
      if (input.step === 'answer') return await this.#head(input);
      if (input.step === 'pull') return await this.#pull();
      this.#cancel();
      return {};
    } finally {
      this.#busy -= 1;
      this.#watchIdle();
    }
  }

  #body(): ReadableStream<Uint8Array> {
    return new ReadableStream(
      {
        start: (controller) => {
          this.#upload = controller;
        },
        pull: () => this.#roomMade(),
        cancel: () => {
          this.#upload = undefined;
          this.#roomMade();
        },
      },
      { highWaterMark: 1 },
    );
  }

  /** Takes a part of the upload. Waits until the handler wants another one; `full` says that it does not yet. */
  async #push({ bytes, last, problem }: StreamStep): Promise<StreamStepAnswer> {
    if (!this.#upload) return { last: true };
    if (bytes !== undefined) this.#upload.enqueue(Buffer.from(bytes, 'base64'));
    if (problem) this.#upload.error(fromProblem(JSON.parse(problem)));
    else if (last) this.#upload.close();
    if (last) return {};
    const hasRoom = () => !this.#upload || this.#upload.desiredSize! > 0;
    if (!hasRoom()) await this.#soon(new Promise<void>((resolve) => (this.#roomMade = resolve)));
    return this.#upload ? { full: !hasRoom() } : { last: true };
  }

  async #head({ downloads }: StreamStep): Promise<StreamStepAnswer> {
    const response = await this.#answer;
    if (!downloads || !response.ok || !response.body) return { answer: await toPassedBack(response) };
    const { status, headers } = response;
    return { answer: { status, headers: Object.fromEntries(headers), body: '' }, streams: true };
  }

  async #pull(): Promise<StreamStepAnswer> {
    if (this.#left) return this.#part(this.#left);
    this.#reader ??= (await this.#answer).body!.getReader();
    this.#reading ??= this.#reader.read();
    try {
      const read = await this.#soon(this.#reading);
      if (!read) return {};
      this.#reading = undefined;
      return read.done ? { last: true } : this.#part(read.value);
    } catch (error) {
      this.parts.failed(error, this.#request);
      return { problem: JSON.stringify(toProblem(error)), last: true };
    }
  }

  #part(bytes: Uint8Array): StreamStepAnswer {
    const part = bytes.subarray(0, maxPartBytes);
    this.#left = bytes.length > part.length ? bytes.subarray(part.length) : undefined;
    return { bytes: Buffer.from(part).toString('base64') };
  }

  /** Resolves with `undefined` when nothing has happened for a while. */
  #soon<T>(happening: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const stop = this.parts.clock.after(waitMs, () => resolve(undefined));
      happening.then(resolve, reject).finally(stop);
    });
  }

  #watchIdle(): void {
    if (this.#busy > 0 || this.#cancellation.cancelled) return;
    this.#forget = this.parts.clock.after(this.parts.idleMs, () => this.#cancel());
  }

  #cancel(): void {
    this.ended();
    this.#forget();
    this.#cancellation.cancel();
    const gone = refusal('cancelled', 'the client has gone');
    if (this.#upload) this.#upload.error(gone);
    this.#upload = undefined;
    this.#roomMade();
    const reader = this.#reader;
    // A response that nobody has begun to read must end too.
    const cancelled = reader ? reader.cancel(gone) : this.#answer.then((response) => response.body?.cancel(gone));
    cancelled.catch(() => {});
  }
}
