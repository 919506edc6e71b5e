import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { Answer, Outcome } from '../../test/harness/shop.ts';

/** One order: its due time, the time from then to the answer, and the delay of this program before it sent the order. */
export interface Sent {
  readonly due: number;
  readonly ms: number;
  readonly lagMs: number;
  readonly failure?: string;
}

const everyMs = 5;

/**
 * Sends orders without waiting for earlier answers. The rate grows for `growMs`, while the system is cold, and then stays
 * constant. The time of an order counts from its due time, so that a pause of the system affects every order due in it.
 */
export class ConstantLoad {
  readonly sent: Sent[] = [];
  readonly told = new Map<string, Answer<Outcome>>();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 128 });
  readonly #inFlight = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  #count = 0;
  private readonly url: string;
  private readonly tokens: readonly string[];
  private readonly perSecond: number;
  private readonly growMs: number;

  constructor(url: string, tokens: readonly string[], perSecond: number, growMs: number) {
    this.url = url;
    this.tokens = tokens;
    this.perSecond = perSecond;
    this.growMs = growMs;
    this.#timer = setInterval(() => this.#catchUp(), everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#inFlight);
    this.#agent.destroy();
  }

  #catchUp(): void {
    for (;;) {
      const due = this.#startedAt + this.#afterMs(this.#count);
      const now = performance.now();
      if (due > now) return;
      this.#count += 1;
      const asking = this.#order(due, now);
      this.#inFlight.add(asking);
      void asking.then(() => this.#inFlight.delete(asking));
    }
  }

  /** Returns the due time of order number `count`, in milliseconds after the start. */
  #afterMs(count: number): number {
    const perMs = this.perSecond / 1_000;
    const whileGrowing = (perMs * this.growMs) / 2;
    if (count < whileGrowing) return Math.sqrt((2 * this.growMs * count) / perMs);
    return this.growMs + (count - whileGrowing) / perMs;
  }

  async #order(due: number, now: number): Promise<void> {
    const key = randomUUID();
    const failure = await this.#post(key, this.tokens[this.#count % this.tokens.length] ?? '').then(
      ({ status, body }) => {
        if (status >= 500) return `${status} ${JSON.stringify(body)}`;
        this.told.set(key, { status, body: body as Outcome, headers: new Headers() });
        return undefined;
      },
      (error: Error) => error.message,
    );
    this.sent.push({ due, ms: performance.now() - due, lagMs: now - due, ...(failure && { failure }) });
  }

  #post(key: string, token: string): Promise<{ status: number; body: unknown }> {
    const body = JSON.stringify({ lines: [{ sku: 'WAX', quantity: 1 }], payment: { token: 'tok_ok' } });
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'idempotency-key': key,
      prefer: 'wait=10',
      'content-length': Buffer.byteLength(body),
    };
    return new Promise((resolve, reject) => {
      const asked = request(`${this.url}/orders`, { method: 'POST', agent: this.#agent, headers }, async (answer) => {
        answer.setEncoding('utf8');
        let text = '';
        try {
          for await (const chunk of answer) text += chunk;
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) });
        } catch (error) {
          reject(error);
        }
      });
      asked.once('error', reject);
      asked.end(body);
    });
  }
}
