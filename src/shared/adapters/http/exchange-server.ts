import type { IncomingMessage, ServerResponse } from 'node:http';
import { cancelledBefore, maximumBodyBytes, type Serve } from '../../kernel/calls/index.ts';
import { background, type CallContext, Cancellation } from '../../kernel/context/index.ts';
import { mismatch, parseCompiled } from '../../kernel/contract/index.ts';
import { betweenProcesses, headersOf, isRefusal, refusal, toProblem } from '../../kernel/errors/index.ts';
import type { UnsentAnswers } from '../../kernel/http-listener/index.ts';
import {
  type CallerTokens,
  fromWire,
  maximumMessageBytes,
  type UnauthenticatedCallers,
} from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { Lines } from './lines.ts';
import { type WireCall, type WireCancel, wireCall } from './protocol.ts';

/** Maximum life of an exchange after the keys of the system change. */
const renewWithinMs = 1_000;

/** Interval of the check for expired exchanges. Also the grace period after the expiry. */
const idleMs = 15_000;

export interface ExchangeDependencies {
  readonly serve: Serve;
  readonly tokens: CallerTokens;
  readonly log: Log;
  readonly strangers: UnauthenticatedCallers;
  readonly module: string;
  readonly caller: string;
  /** Expiry of the caller's token, in the system's time. The exchange refuses later calls. */
  readonly until: number;
  readonly unsent: UnsentAnswers;
}

/**
 * Serves the calls of one exchange concurrently, each as soon as its line arrives. Writes the answers of one turn of the event loop
 * together; no answer waits for a slower one. Cancels the calls when the caller disconnects.
 */
export class ServedExchange {
  readonly #open = new Map<number, Cancellation>();
  readonly #lines = new Lines(maximumMessageBytes);
  #until: number;
  #ready = '';
  /** Whether the exchange ignores further lines, or none can arrive. */
  #ended = false;
  private readonly parts: ExchangeDependencies;
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;

  constructor(parts: ExchangeDependencies, request: IncomingMessage, response: ServerResponse) {
    this.parts = parts;
    this.request = request;
    this.response = response;
    this.#until = parts.until;
    request.on('data', (chunk: Buffer) => this.#taking(() => this.#lines.take(chunk)));
    request.on('end', () => this.#taking(() => [this.#lines.end()], true));
    response.on('close', () => this.#abandon());
    response.on('drain', () => this.#drained());
    response.on('error', () => {});
    request.on('error', () => {});
    const over = background.setInterval(() => this.#endWhenOver(), idleMs).unref();
    response.once('close', () => clearInterval(over));
  }

  /** Ends an idle exchange some time after its token expired, if its caller does not end it. */
  #endWhenOver(): void {
    if (this.parts.tokens.now() < this.#until + idleMs || this.#open.size > 0) return;
    this.#ended = true;
    this.#finishIfDone();
  }

  /** Reacts to new keys of the system. The caller must authenticate on a new exchange; this one refuses calls after a second. */
  keysChanged(): void {
    this.#until = Math.min(this.#until, this.parts.tokens.now() + renewWithinMs);
    this.leave();
  }

  /** Asks the caller to send its next calls elsewhere. Still serves calls in flight, and calls that cross this message. */
  leave(): void {
    if (!this.#ended) this.#say('{"leaving":true}\n');
  }

  #taking(take: () => string[], last = false): void {
    if (this.#ended) return;
    try {
      for (const line of take()) this.#line(line, last);
    } catch (error) {
      this.#refuseAll(error);
      return;
    }
    if (last) this.#ended = true;
    this.#finishIfDone();
  }

  #line(line: string, last: boolean): void {
    if (line === '') return void (last || this.#say('\n'));
    const json = parseJson(line) as Partial<WireCall & WireCancel> | null;
    if (json?.cancel === true) return void this.#open.get(json.id!)?.cancel();
    const { success, data: call } = parseCompiled(wireCall, json);
    if (success) return void this.#serve(call);
    const problem = mismatch(wireCall, json);
    if (typeof json?.id !== 'number') throw problem;
    this.#say(`${lineOf(json.id, { problem: toProblem(problem) })}\n`);
  }

  #serve({ id, operation, input, context: wire }: WireCall): void {
    const { serve, module, caller, tokens, log, strangers } = this.parts;
    if (this.#open.has(id)) throw refusal('malformed-request', `call ${id} is in flight; each has an id of its own`);
    const cancellation = new Cancellation();
    this.#open.set(id, cancellation);
    const run = (context: CallContext) => {
      if (cancellation.cancelled) throw cancelledBefore({ module, name: operation });
      return serve(module, operation, input, context);
    };
    const context = this.#until > tokens.now() ? fromWire(wire, caller, tokens, cancellation) : Promise.reject(over());
    const served = 'then' in context ? context.then(run) : run(context);
    served.then(
      (output) => this.#answer(id, { output }),
      (error) => {
        strangers.note(error, { module });
        if (!isRefusal(error)) log.error({ error, path: `/modules/${module}/${operation}` }, 'a call by HTTP failed');
        this.#answer(id, { problem: toProblem(error) });
      },
    );
  }

  #answer(id: number, result: object): void {
    if (!this.#open.delete(id)) return;
    this.#say(`${lineOf(id, result)}\n`);
    this.#finishIfDone();
  }

  #say(text: string): void {
    if (this.#ready === '') background.nextTick(this.#flush);
    this.#ready += text;
  }

  readonly #flush = (): void => {
    const ready = this.#ready;
    this.#ready = '';
    if (ready === '' || this.response.writableEnded) return;
    this.#begin();
    // Stops reading calls while the caller reads no answers.
    if (!this.response.write(ready)) this.request.pause();
    this.parts.unsent.written(this.response);
  };

  #drained(): void {
    this.parts.unsent.written(this.response);
    this.request.resume();
  }

  #begin(): void {
    if (!this.response.headersSent) this.response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  }

  #finishIfDone(): void {
    if (!this.#ended || this.#open.size > 0 || this.response.writableEnded) return;
    const rest = this.#ready;
    this.#ready = '';
    this.#begin();
    this.response.end(rest);
  }

  #refuseAll(error: unknown): void {
    this.#ended = true;
    this.#abandon();
    if (this.response.headersSent) return void this.response.destroy();
    const problem = toProblem(error instanceof RangeError ? refusal('body-too-large', error.message) : error);
    this.response.writeHead(problem.status, headersOf(problem)).end(JSON.stringify(problem));
  }

  #abandon(): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const cancellation of open) cancellation.cancel();
  }
}

function lineOf(id: number, result: object): string {
  const line = JSON.stringify({ id, ...result });
  if (line.length * 3 <= maximumBodyBytes) return line;
  const around = JSON.stringify({ id, output: 0 }).length - 1;
  if (Buffer.byteLength(line) - around <= maximumBodyBytes) return line;
  const problem = toProblem(refusal('body-too-large', `the answer is over ${maximumBodyBytes} bytes`));
  return JSON.stringify({ id, problem });
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal('malformed-body', 'the body is not well-formed JSON');
  }
}

function over(): Error {
  return betweenProcesses('unauthenticated', 'the service token of this exchange is over; open another one');
}
