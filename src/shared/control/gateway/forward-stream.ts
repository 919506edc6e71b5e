import type { Context } from 'hono';
import { ofKernel, type StreamStep, type StreamStepAnswer, Unreachable } from '../../kernel/calls/index.ts';
import { type CallContext, Cancellation, currentContext, newId } from '../../kernel/context/index.ts';
import { fromProblem, toProblem } from '../../kernel/errors/index.ts';
import { eventStream, problemResponse, type ServedEndpoint } from '../../kernel/http-api/index.ts';
import type { Pinned } from '../routing/index.ts';
import { fromPassedBack, kept, type ServeEndpoint } from './passing-on.ts';
import type { System } from './system.ts';

/** The other process answers each step earlier, except the first part of the answer. */
const stepMs = 30_000;
/** How long a download goes on after its module has left the process. */
const graceMs = 10_000;

/**
 * Forwards a request whose body or answer is a stream. Each part is a call of the kernel's operation `stream`, and each side asks
 * for a part when it has used the previous one. All calls go to the same process.
 */
export function forwardStream(module: string, system: System): ServeEndpoint {
  return async (c, endpoint) => {
    const at = system.directory.routeTo(module);
    if (at.state === 'here') return endpoint.serve(c);
    try {
      if (at.state === 'away') throw new Unreachable(module);
      return await new ForwardedStream(module, at.upstream.pin(), endpoint).answer(c);
    } catch (error) {
      return problemResponse(error);
    }
  };
}

class ForwardedStream {
  readonly #id = newId();
  readonly #context = currentContext()!;
  #over = false;
  #leftAt: number | undefined;
  private readonly module: string;
  private readonly pinned: Pinned;
  private readonly endpoint: ServedEndpoint;

  constructor(module: string, pinned: Pinned, endpoint: ServedEndpoint) {
    this.module = module;
    this.pinned = pinned;
    this.endpoint = endpoint;
  }

  async answer(c: Context): Promise<Response> {
    const { upload, download, method } = this.endpoint;
    const { url, headers, body } = c.req.raw;
    const { pathname, search } = new URL(url);
    const request = { method: method.toUpperCase(), path: `${pathname}${search}`, headers: kept(headers), body: '' };
    try {
      await this.#ask({ step: 'open', request, uploads: upload !== undefined });
      if (upload) void this.#upload(body);
      const headMs = this.#context.deadline - Date.now() + (upload?.seconds ?? 0) * 1_000;
      const { answer, streams } = await this.#ask({ step: 'answer', downloads: download !== undefined }, headMs);
      const response = fromPassedBack(answer!);
      if (!streams || c.req.raw.method === 'HEAD') {
        this.#cancel();
        return response;
      }
      return new Response(this.#download(), { status: response.status, headers: response.headers });
    } catch (error) {
      this.#cancel();
      throw error;
    }
  }

  /** Sends the body until its end, or until the handler needs no more of it. */
  async #upload(body: ReadableStream<Uint8Array> | null): Promise<void> {
    const reader = (body ?? new Blob([]).stream()).getReader();
    try {
      for (let isWanted = true, isLast = false; isWanted && !isLast; ) {
        const part = await reader.read().then(
          ({ done, value }) => (done ? { last: true } : { bytes: Buffer.from(value).toString('base64') }),
          (error) => ({ last: true, problem: JSON.stringify(toProblem(error)) }),
        );
        isLast = 'last' in part;
        let room = await this.#ask({ step: 'push', ...part });
        while (room.full && !isLast) room = await this.#ask({ step: 'push' });
        isWanted = !room.last;
      }
      await reader.cancel();
    } catch {
      // The request has failed or ended, and its answer says so.
      await reader.cancel().catch(() => {});
    }
  }

  #download(): ReadableStream<Uint8Array> {
    return new ReadableStream(
      {
        pull: async (controller) => {
          const part = await this.#part().catch((error) => {
            this.#cancel();
            throw error;
          });
          if (part) return controller.enqueue(part);
          this.#cancel();
          controller.close();
        },
        cancel: () => this.#cancel(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Resolves with the next part, or with `undefined` at the end. */
  async #part(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { bytes, last, problem } = await this.#ask({ step: 'pull' });
      if (problem) throw fromProblem(JSON.parse(problem));
      if (bytes !== undefined) return Buffer.from(bytes, 'base64');
      if (last || this.#mustEnd()) return undefined;
    }
  }

  /** Ends a stream of events between two events when its module moves: the client connects again. Cuts a download after a while. */
  #mustEnd(): boolean {
    if (!this.pinned.isLeaving()) return false;
    if (this.endpoint.download?.contentType.startsWith(eventStream)) return true;
    this.#leftAt ??= performance.now();
    if (performance.now() - this.#leftAt < graceMs) return false;
    throw new Unreachable(this.module);
  }

  async #ask(input: Omit<StreamStep, 'id'>, withinMs = stepMs): Promise<StreamStepAnswer> {
    const cancellation = new Cancellation(this.#context.cancellation);
    return this.#call(input, { ...this.#context, deadline: Date.now() + withinMs, cancellation });
  }

  /** Ends the stream in the other process, which does nothing if it has ended. */
  #cancel(): void {
    if (this.#over) return;
    this.#over = true;
    const { cancellation: _, ...context } = this.#context;
    const told = this.#call({ step: 'cancel' }, { ...context, deadline: Date.now() + stepMs });
    told.catch(() => {}).finally(() => this.pinned.release());
  }

  #call(input: Omit<StreamStep, 'id'>, context: CallContext): Promise<StreamStepAnswer> {
    const operation = ofKernel('stream', this.module);
    const answer = this.pinned.call({ operation, input: { id: this.#id, ...input }, context });
    return answer as Promise<StreamStepAnswer>;
  }
}
