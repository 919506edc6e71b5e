import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { eventually } from './kerf.ts';
import type { Answer, Outcome, Shop } from './shop.ts';

/** Maximum number of requests in flight. On a slow machine more requests would only queue up. */
const maxInFlight = 40;

/**
 * A constant load: one member orders and reads `paths` every `everyMs`, until `stop` or the end of the test. It does not wait
 * for earlier answers, but pauses while forty requests are in flight. Every order has its own key.
 */
export class SteadyLoad {
  /** Answers to the orders, by key. */
  readonly orderAnswers = new Map<string, Answer<Outcome>>();
  /** Failed requests in words: each one with a status of 500 or more, or without an answer. */
  readonly failures: string[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  private readonly shop: Shop;
  private readonly paths: readonly string[];

  constructor(shop: Shop, paths: readonly string[] = [], everyMs = 100) {
    this.shop = shop;
    this.paths = paths;
    this.#timer = setInterval(() => this.#turn(), everyMs);
    onTestFinished(() => clearInterval(this.#timer));
  }

  /** Resolves after `count` more events: answered orders or failed requests. */
  async answers(count: number): Promise<void> {
    const wanted = this.orderAnswers.size + this.failures.length + count;
    await eventually(async () => this.orderAnswers.size + this.failures.length >= wanted, `${count} more answers`);
  }

  /** Stops the load. When no request is in flight, resolves with the failed ones. */
  async stop(): Promise<readonly string[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#inFlight);
    return this.failures;
  }

  #turn(): void {
    if (this.#inFlight.size >= maxInFlight) return;
    this.#ask('an order', () => this.#order());
    for (const path of this.paths) this.#ask(path, () => this.shop.get(path));
  }

  async #order(): Promise<Answer<unknown>> {
    const key = randomUUID();
    const answer = await this.shop.order('WAX', 1, { key });
    if (answer.status < 500) this.orderAnswers.set(key, answer);
    return answer;
  }

  #ask(what: string, ask: () => Promise<Answer<unknown>>): void {
    const asking = ask().then(
      ({ status, body }) => {
        if (status >= 500) this.failures.push(`${what}: ${status} ${JSON.stringify(body)}`);
      },
      (error: Error) => void this.failures.push(`${what}: ${error.message} (${(error.cause as Error)?.message})`),
    );
    this.#inFlight.add(asking);
    void asking.then(() => this.#inFlight.delete(asking));
  }
}
