import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { eventually } from './kerf.ts';
import type { Answer, Outcome, Shop } from './shop.ts';

/** On a machine that is slower than what is asked, more would but wait, until it cannot even be sent. */
const mostUnderWay = 40;

/**
 * A member who orders, and looks up what `paths` name, ten times a second until `stop` or the end of the test, whatever
 * becomes of what was asked before, unless forty still wait for it. Every order has a key of its own.
 */
export class SteadyLoad {
  /** What was answered to the orders, by key. */
  readonly told = new Map<string, Answer<Outcome>>();
  /** Requests that failed, in words: any answer of 500 or more, and any that did not come. */
  readonly failures: string[] = [];
  readonly #under = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  private readonly shop: Shop;
  private readonly paths: readonly string[];

  constructor(shop: Shop, paths: readonly string[] = [], everyMs = 100) {
    this.shop = shop;
    this.paths = paths;
    this.#timer = setInterval(() => this.#turn(), everyMs);
    onTestFinished(() => clearInterval(this.#timer));
  }

  /** Resolves when `count` more orders are answered. */
  async answers(count: number): Promise<void> {
    const wanted = this.told.size + this.failures.length + count;
    await eventually(async () => this.told.size + this.failures.length >= wanted, `${count} more answers`);
  }

  /** Resolves when everything that was asked is answered, with the requests that failed. */
  async stop(): Promise<readonly string[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#under);
    return this.failures;
  }

  #turn(): void {
    if (this.#under.size >= mostUnderWay) return;
    this.#ask('an order', () => this.#order());
    for (const path of this.paths) this.#ask(path, () => this.shop.get(path));
  }

  async #order(): Promise<Answer<unknown>> {
    const key = randomUUID();
    const answer = await this.shop.order('WAX', 1, { key });
    if (answer.status < 500) this.told.set(key, answer);
    return answer;
  }

  #ask(what: string, ask: () => Promise<Answer<unknown>>): void {
    const asking = ask().then(
      ({ status, body }) => {
        if (status >= 500) this.failures.push(`${what}: ${status} ${JSON.stringify(body)}`);
      },
      (error: Error) => void this.failures.push(`${what}: ${error.message} (${(error.cause as Error)?.message})`),
    );
    this.#under.add(asking);
    void asking.then(() => this.#under.delete(asking));
  }
}
