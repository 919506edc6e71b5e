import type { ServiceTokens } from '../../identity/index.ts';
import { Exchange, type Waiting } from './exchange.ts';
import { type Peers, unreachableBecause } from './peers.ts';

/** Exchanges that may be on their way without an answer before new calls are gathered instead of sent. */
const unansweredLimit = 2;
/** An exchange that has been silent for this long holds nobody back any more. */
const patienceMs = 2;
const callsLimit = 256;
const bytesLimit = 1024 * 1024;

/**
 * Sends one caller's calls to one module. A call goes out at once when the line is quiet; under load, calls that come up
 * while others are on their way travel together, and each answer comes back as soon as it is ready.
 */
export class Gatherer {
  #waiting: Waiting[] = [];
  #unanswered = 0;
  #crowded = false;
  #scheduled = false;
  #patience: NodeJS.Timeout | undefined;
  readonly #path: string;

  constructor(
    private readonly module: string,
    private readonly caller: string,
    private readonly address: string,
    private readonly peers: Peers,
    private readonly tokens: ServiceTokens,
  ) {
    this.#path = `/modules/${module}`;
  }

  add(call: Waiting): void {
    this.#waiting.push(call);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    if (this.#unanswered >= unansweredLimit) {
      this.#patience ??= setTimeout(() => {
        this.#patience = undefined;
        this.#unanswered = 0;
        this.#schedule();
      }, patienceMs);
      return;
    }
    this.#scheduled = true;
    // Where there was a crowd last time, a turn of the event loop lets it gather; a single caller does not wait.
    if (this.#crowded) setImmediate(this.#flush);
    else queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const calls = this.#take();
    this.#crowded = calls.length > 1;
    this.#unanswered += 1;
    const token = this.tokens.issued(this.caller, this.module);
    if (token) this.#send(calls, token);
    else {
      this.tokens.issue(this.caller, this.module).then(
        (made) => this.#send(calls, made),
        (error) => this.#refuse(calls, error),
      );
    }
    this.#schedule();
  };

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { line } of this.#waiting) {
      bytes += line.length;
      if (count > 0 && (bytes > bytesLimit || count >= callsLimit)) break;
      count += 1;
    }
    const calls = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return calls;
  }

  #send(calls: Waiting[], token: string): void {
    let counted = true;
    const exchange = new Exchange(this.module, calls, () => {
      if (counted) this.#unanswered = Math.max(0, this.#unanswered - 1);
      counted = false;
      this.#schedule();
    });
    // In whole seconds: undici keeps its timer as long as the value stays the same.
    const timeout = (Math.ceil(Math.max(...calls.map(({ deadlineMs }) => deadlineMs)) / 1_000) + 5) * 1_000;
    try {
      this.peers.at(this.address).dispatch(
        {
          method: 'POST',
          path: this.#path,
          body: calls.map(({ line }) => line).join('\n'),
          headers: ['content-type', 'application/x-ndjson', 'authorization', `Bearer ${token}`],
          headersTimeout: timeout,
          bodyTimeout: timeout,
        },
        exchange,
      );
    } catch (error) {
      this.#refuse(calls, error);
    }
  }

  #refuse(calls: readonly Waiting[], error: unknown): void {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    for (const call of calls) call.reject(unreachableBecause(this.module, error));
  }
}
