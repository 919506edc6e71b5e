import type { ClientRequest, IncomingMessage } from 'node:http';
import { ForeignAnswer, unreachableBecause } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import { fromProblem, isProblem, isRefusal, type Problem } from '../../kernel/errors/index.ts';
import { connectWithinMs, maximumMessageBytes, type Silence } from '../../kernel/ports/index.ts';
import { Lines } from './lines.ts';
import type { AnswerLine } from './protocol.ts';

/** Callbacks of a call that waits for its answer. */
export interface PendingAnswer {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Carries calls and their answers over one open HTTP request. Each line of the request is a call; each line of the response is an
 * answer, which resolves its call at once. Lines of one turn of the event loop leave together. When the exchange breaks, calls
 * without an answer reject with `unavailable`.
 */
export class Exchange {
  readonly #open = new Map<number, PendingAnswer>();
  readonly #lines = new Lines(maximumMessageBytes);
  #unsent = '';
  #state: 'open' | 'closing' | 'closed' = 'open';
  #connected = false;
  /** Whether the other process still owes a reaction. */
  #owed = false;
  #silentMs = 0;
  readonly #watch: NodeJS.Timeout;
  private readonly module: string;
  private readonly request: ClientRequest;
  private readonly silence: Silence;
  /** Called when the other process is about to stop. */
  private readonly onLeaving: () => void;

  constructor(module: string, request: ClientRequest, silence: Silence, onLeaving: () => void = () => {}) {
    this.module = module;
    this.request = request;
    this.silence = silence;
    this.onLeaving = onLeaving;
    request.setNoDelay(true);
    request.once('socket', (socket) => {
      if (!socket.connecting) return this.#connect();
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => this.#connect());
    });
    request.once('response', (response) => this.#read(response));
    request.once('error', (error) => this.#break(error));
    request.once('close', () => this.#break(new Error('the connection was closed')));
    this.#watch = background.setInterval(() => this.#listen(), this.silence.askAfterMs / 2).unref();
    background
      .setTimeout(() => this.#connected || request.destroy(new Error('no connection in time')), connectWithinMs)
      .unref();
  }

  /** Whether the exchange accepts more calls. */
  get takes(): boolean {
    return this.#state === 'open';
  }

  /** Sends a call, or rejects it when the exchange is closed. Returns a function that cancels the call. */
  add(id: number, line: string, call: PendingAnswer): () => void {
    if (this.#state === 'closed') {
      call.reject(unreachableBecause(this.module, new Error('this exchange is closed'), false));
      return () => {};
    }
    this.#open.set(id, call);
    this.#owed = true;
    this.#write(line);
    return () => {
      if (!this.#open.delete(id) || this.#state === 'closed') return;
      this.#write(`{"id":${id},"cancel":true}`);
      this.#endIfDone();
    };
  }

  /** Stops accepting calls. Ends the exchange when all calls in flight have their answer. */
  retire(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    background.nextTick(() => this.#endIfDone());
  }

  destroy(): void {
    this.#break(new Error('this process closes the connection'));
  }

  #connect(): void {
    this.#connected = true;
  }

  #endIfDone(): void {
    if (this.#state !== 'closing' || this.#open.size > 0 || this.request.writableEnded) return;
    this.#flush();
    this.#owed = true;
    this.request.end();
  }

  #write(line: string): void {
    if (this.#unsent === '') background.nextTick(this.#flush);
    this.#unsent += `${line}\n`;
  }

  readonly #flush = (): void => {
    const lines = this.#unsent;
    this.#unsent = '';
    if (lines !== '' && this.#state !== 'closed' && !this.request.writableEnded) this.request.write(lines);
  };

  #read(response: IncomingMessage): void {
    if (response.statusCode !== 200) {
      void refusalOf(response).then((error) => this.#break(error));
      return;
    }
    response.on('data', (chunk: Buffer) => {
      this.#silentMs = 0;
      try {
        for (const line of this.#lines.take(chunk)) if (line !== '') this.#settle(JSON.parse(line));
      } catch (error) {
        this.#break(error);
      }
      this.#owed = this.#open.size > 0 || this.request.writableEnded;
      this.#endIfDone();
    });
    response.on('end', () => {
      if (this.#state !== 'closing' || this.#open.size > 0) return this.#break(new Error('the answer ended early'));
      this.#state = 'closed';
      clearInterval(this.#watch);
    });
    response.on('error', (error) => this.#break(error));
  }

  #settle(answer: AnswerLine): void {
    if ('leaving' in answer) {
      this.retire();
      this.onLeaving();
      return;
    }
    const call = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    if (answer.problem) call?.reject(fromProblem(answer.problem));
    else call?.resolve(answer.output);
  }

  /**
   * Detects a dead connection. When the other process owes a reaction and stays silent, sends an empty line as a ping. Destroys the
   * connection when the silence continues, even if no caller waits for the answer any more.
   */
  #listen(): void {
    if (!this.#owed || !this.#connected) {
      this.#silentMs = 0;
      return;
    }
    this.#silentMs += this.silence.askAfterMs / 2;
    if (this.#silentMs >= this.silence.goneAfterMs) this.request.destroy(new Error('the other side is silent'));
    else if (this.#silentMs >= this.silence.askAfterMs) this.#write('');
  }

  #break(error: unknown): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearInterval(this.#watch);
    const refused = isRefusal(error) ? error : unreachableBecause(this.module, error, this.#connected);
    for (const call of this.#open.values()) call.reject(refused);
    this.#open.clear();
    this.request.destroy();
  }
}

async function refusalOf(response: IncomingMessage): Promise<Error> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const problem: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (isProblem(problem)) return fromProblem(problem as Problem);
  } catch {
    // The body is no problem of Kerf, so only the status helps.
  }
  return new ForeignAnswer(response.statusCode);
}
