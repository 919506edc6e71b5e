import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { OrderAnswers } from '../crash/rush.ts';
import { type Answer, type Outcome, Shop } from '../harness/shop.ts';
import { Random } from '../simulation/random.ts';
import type { Fate, Results } from './results.ts';

const patienceMs = 20_000;
const tokens = ['tok_ok', 'tok_ok', 'tok_ok', 'tok_ok', 'tok_ok', 'tok_declined', 'tok_flaky'];
const goods = ['WAX', 'GLUE', 'OIL', 'MALLET', 'LIMITED-1'];

/** Number of parallel clients of each kind: enough to meet every fault, few enough for a slow machine. */
const population = { buyers: 5, visitors: 2, readers: 2 };

interface Want {
  readonly kind: string;
  /** Statuses that count as an answer. */
  readonly wanted: readonly number[];
  readonly ask: (shop: Shop) => Promise<Answer<unknown>>;
}

/** Clients that order, cancel, sign up, write and read, and sometimes hang up, until `stop`. */
export class Customers {
  /** The final answers to orders, by key. */
  readonly orderAnswers: OrderAnswers = new Map();
  /** Orders that a client repeated until the end without an answer. */
  readonly unanswered: string[] = [];
  #stopping = false;
  #giveUpAt = Number.POSITIVE_INFINITY;
  readonly #working: Promise<void>[] = [];
  private readonly url: string;
  private readonly seed: number;
  private readonly seen: Results;

  constructor(url: string, seed: number, seen: Results) {
    this.url = url;
    this.seed = seed;
    this.seen = seen;
  }

  begin(): void {
    const lives = { buyers: this.#buy, visitors: this.#signUp, readers: this.#read };
    for (const [index, [kind, live]] of Object.entries(lives).entries())
      for (let nth = 0; nth < population[kind as keyof typeof population]; nth += 1)
        this.#working.push(live.call(this, new Random(this.seed * 1_000 + index * 100 + nth)));
  }

  /** Stops new requests. Resolves when all clients have their answers, or after `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true;
    this.#giveUpAt = Date.now() + withinMs;
    await Promise.all(this.#working);
  }

  /** Runs `count` clients that hang up at any point of a sign-up or an unauthenticated request. */
  async hangUp(count: number, seed: number): Promise<void> {
    const random = new Random(seed);
    const one = async () => {
      const shop = new Shop(this.url);
      const ask = random.chance(0.5)
        ? (to: Shop) => to.post('/members', person().details)
        : (to: Shop) => to.get('/products?limit=50');
      await this.#once(shop, { kind: 'hang-ups', wanted: [200, 201], ask }, random.between(1, 150));
    };
    await Promise.all(Array.from({ length: count }, one));
  }

  async #buy(random: Random): Promise<void> {
    const shop = await this.#join(random);
    while (shop && !this.#stopping) {
      await this.#order(shop, random);
      await pause(random.between(100, 600));
    }
  }

  async #order(shop: Shop, random: Random): Promise<void> {
    const key = randomUUID();
    const order = { token: random.pick(tokens), key, wait: random.pick([0, 1, 5]) };
    const [sku, quantity] = [random.pick(goods), random.whole(1, 3)];
    const want: Want = { kind: 'orders', wanted: [201, 202, 402, 409], ask: (to) => to.order(sku, quantity, order) };
    if (random.chance(0.25)) {
      const hungUp = await this.#once(shop, want, random.between(1, 400));
      // After a hang-up some clients repeat the order under the same key, and others never do.
      if (!hungUp && random.chance(0.3)) return;
    }
    const answer = await this.#retry(shop, want, random);
    if (!answer) return void this.unanswered.push(`order ${key}`);
    this.orderAnswers.set(key, answer as Answer<Outcome>);
    if (answer.status === 201 && random.chance(0.15)) {
      const path = `/orders/${(answer.body as { id: string }).id}/cancel`;
      await this.#retry(shop, { kind: 'cancellations', wanted: [200, 409], ask: (to) => to.post(path, {}) }, random);
    }
  }

  async #signUp(random: Random): Promise<void> {
    while (!this.#stopping) {
      const { details } = person();
      const want: Want = { kind: 'sign-ups', wanted: [201, 409], ask: (to) => to.post('/members', details) };
      await this.#once(new Shop(this.url), want, random.chance(0.4) ? random.between(1, 300) : patienceMs);
      await pause(random.between(800, 2_500));
    }
  }

  async #read(random: Random): Promise<void> {
    const shop = await this.#join(random);
    const wants: Want[] = [
      { kind: 'reads', wanted: [200], ask: (to) => to.get('/products') },
      { kind: 'reads', wanted: [200], ask: (to) => to.get('/orders') },
      { kind: 'reads', wanted: [200], ask: (to) => to.get('/messages') },
      { kind: 'posts', wanted: [201], ask: (to) => to.post('/posts', { title: 'Chaos', body: 'Written meanwhile' }) },
    ];
    while (shop && !this.#stopping) {
      await this.#once(shop, random.pick(wants), random.chance(0.1) ? random.between(1, 100) : patienceMs);
      await pause(random.between(150, 500));
    }
  }

  async #join(random: Random): Promise<Shop | undefined> {
    const { details, credentials } = person();
    const shop = new Shop(this.url);
    await this.#retry(
      shop,
      { kind: 'sign-ups', wanted: [201, 409], ask: (to) => to.post('/members', details) },
      random,
    );
    const signIn: Want = { kind: 'sign-ins', wanted: [201], ask: (to) => to.post('/sessions', credentials) };
    const signedIn = (await this.#retry(shop, signIn, random)) as Answer<{ token: string }> | undefined;
    return signedIn && new Shop(this.url, signedIn.body.token);
  }

  /** Repeats a request until it gets an answer. Resolves with undefined without an answer at the end. */
  async #retry(shop: Shop, want: Want, random: Random): Promise<Answer<unknown> | undefined> {
    while (Date.now() < this.#giveUpAt) {
      const answer = await this.#once(shop, want, patienceMs);
      if (answer) return answer;
      await pause(random.between(100, 800));
    }
    return undefined;
  }

  /** Sends a request once and hangs up after `afterMs`. Resolves with the answer, or with undefined when it decides nothing. */
  async #once(shop: Shop, want: Want, afterMs: number): Promise<Answer<unknown> | undefined> {
    const startedAt = performance.now();
    const told = (fate: Fate, detail?: string) => this.seen.add(want.kind, fate, performance.now() - startedAt, detail);
    const signal = AbortSignal.timeout(Math.ceil(afterMs));
    try {
      const answer = await want.ask(shop.until(signal));
      const fate = fateOf(answer, want.wanted);
      told(fate, `${answer.status} ${JSON.stringify(answer.body)}`);
      return fate === 'done' || fate === 'waiting' ? answer : undefined;
    } catch {
      told(!signal.aborted ? 'lost' : afterMs < patienceMs ? 'hung up' : 'unanswered');
      return undefined;
    }
  }
}

function fateOf({ status, body }: Answer<unknown>, wanted: readonly number[]): Fate {
  // The only final 503: a module was unavailable until the checkout's deadline.
  if ((body as { code?: string } | null)?.code === 'order-failed') return 'done';
  if (wanted.includes(status)) return status === 202 ? 'waiting' : 'done';
  return [429, 503, 504].includes(status) ? 'refused' : 'wrong';
}

function person() {
  const id = randomUUID();
  const credentials = { email: `${id}@example.com`, password: 'correct horse' };
  const digits = id.replaceAll(/\D/g, '').padEnd(8, '0').slice(0, 8);
  return { credentials, details: { ...credentials, name: 'Ann', phone: `+82 10 ${digits}` } };
}
