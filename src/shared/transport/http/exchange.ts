import { StringDecoder } from 'node:string_decoder';
import type { Dispatcher } from 'undici';
import { fromProblem, isProblem, type Problem } from '../../errors/index.ts';
import { unreachableBecause } from './peers.ts';

/** A call that has been put on the wire, or is about to be. */
export interface Waiting {
  readonly id: number;
  readonly line: string;
  readonly deadlineMs: number;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface AnswerLine {
  id: number;
  output?: unknown;
  problem?: Problem;
}

/**
 * The answers to the calls of one exchange, handed to each caller as its line comes in. Calls that are left without an
 * answer when the connection ends are refused as `unavailable`.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #open: Map<number, Waiting>;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #status = 0;

  constructor(
    private readonly module: string,
    calls: readonly Waiting[],
    /** It has begun to answer, or has ended. May be told twice. */
    private readonly onAnswering: () => void,
  ) {
    this.#open = new Map(calls.map((call) => [call.id, call]));
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
    this.onAnswering();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const text = this.#rest + this.#decoder.write(chunk);
    if (this.#status !== 200) {
      this.#rest = text;
      return;
    }
    let from = 0;
    for (let end = text.indexOf('\n', from); end >= 0; end = text.indexOf('\n', from)) {
      this.#settle(text.slice(from, end));
      from = end + 1;
    }
    this.#rest = text.slice(from);
  }

  onResponseEnd(): void {
    if (this.#open.size > 0)
      this.#refuseRest(this.#status === 200 ? new Error('the answer ended early') : this.#refusalOfAll());
    else this.onAnswering();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#refuseRest(error);
  }

  #settle(line: string): void {
    const { id, output, problem } = JSON.parse(line) as AnswerLine;
    const call = this.#open.get(id);
    this.#open.delete(id);
    if (problem) call?.reject(fromProblem(problem));
    else call?.resolve(output);
  }

  #refusalOfAll(): Error {
    try {
      const problem: unknown = JSON.parse(this.#rest);
      if (isProblem(problem)) return fromProblem(problem);
    } catch {
      // Not one of ours; the status says what there is to say.
    }
    return new Error(`status ${this.#status}`);
  }

  #refuseRest(error: Error): void {
    const refused = error.name === 'Refusal' ? error : unreachableBecause(this.module, error);
    for (const call of this.#open.values()) call.reject(refused);
    this.#open.clear();
    this.onAnswering();
  }
}
