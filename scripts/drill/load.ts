import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { System } from './system.ts';

const everyMs = 100;

/** The fields that the load reads from answers. */
const answerSchema = z.object({ id: z.string(), status: z.string(), token: z.string() }).partial();
type Answered = z.output<typeof answerSchema>;

type Outcome = 'ok' | 'waiting' | 'failed';
type Tally = Record<Outcome, number> & { readonly tookMs: number[] };

/** The outcomes and durations of requests of one kind. */
export interface Counts extends Readonly<Record<Outcome, number>> {
  readonly p50Ms: number;
  readonly longestMs: number;
}
/** The outcomes of the requests of every kind. */
export type Met = Readonly<Record<'orders' | 'posts' | 'signUps', Counts>>;

/** Starts an order, a post and a sign-up every 100 ms, without waiting for earlier ones. */
export class Load {
  readonly #system: System;
  #token: string | undefined;
  readonly #pending = new Set<string>();
  #confirmed = 0;

  private constructor(system: System) {
    this.#system = system;
  }

  static async begin(system: System): Promise<Load> {
    const load = new Load(system);
    load.#token = await load.#signIn();
    return load;
  }

  /** Runs the load for `forMs`. Resolves with the results: served, waiting and failed requests, with their durations. */
  async watch(forMs: number): Promise<Met> {
    const seen = { orders: tally(), posts: tally(), signUps: tally() };
    const acts: [counts: Tally, act: () => Promise<Outcome>][] = [
      [seen.orders, () => this.#order()],
      [seen.posts, () => this.#post('/posts', { title: 'A drill', body: 'Written while something was broken' }, 201)],
      [seen.signUps, () => this.#post('/members', person(), 201)],
    ];
    const under: Promise<void>[] = [];
    const end = performance.now() + forMs;
    while (performance.now() < end) {
      for (const [counts, act] of acts) under.push(measured(counts, act));
      await pause(everyMs);
    }
    await Promise.all(under);
    return { orders: summed(seen.orders), posts: summed(seen.posts), signUps: summed(seen.signUps) };
  }

  /** Waits for the outcome of pending orders. */
  async settle(withinMs: number): Promise<{ confirmedLater: number; unsettled: number }> {
    const end = performance.now() + withinMs;
    while (this.#pending.size > 0 && performance.now() < end) {
      for (const id of this.#pending) {
        const { body } = await this.#send('GET', `/orders/${id}`);
        if (body.status === 'pending') continue;
        this.#pending.delete(id);
        if (body.status === 'confirmed') this.#confirmed += 1;
      }
      await pause(100);
    }
    return { confirmedLater: this.#confirmed, unsettled: this.#pending.size };
  }

  async #order(): Promise<Outcome> {
    const order = { lines: [{ sku: 'WAX', quantity: 1 }], payment: { token: 'tok_ok' } };
    const headers = { 'idempotency-key': randomUUID(), prefer: 'wait=1' };
    const { status, body } = await this.#send('POST', '/orders', order, headers);
    if (status === 202 && body.id !== undefined) this.#pending.add(body.id);
    return status === 201 ? 'ok' : status === 202 ? 'waiting' : 'failed';
  }

  async #post(path: string, body: object, wanted: number): Promise<Outcome> {
    return (await this.#send('POST', path, body)).status === wanted ? 'ok' : 'failed';
  }

  async #signIn(): Promise<string | undefined> {
    const { email, password, ...rest } = person();
    await this.#send('POST', '/members', { email, password, ...rest });
    return (await this.#send('POST', '/sessions', { email, password })).body.token;
  }

  async #send(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; body: Answered }> {
    const answer = await fetch(`${this.#system.url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(this.#token && { authorization: `Bearer ${this.#token}` }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: answerSchema.parse(await answer.json()) };
  }
}

function person() {
  return { email: `${randomUUID()}@example.com`, password: 'correct horse', name: 'Ann' };
}

function tally(): Tally {
  return { ok: 0, waiting: 0, failed: 0, tookMs: [] };
}

async function measured(counts: Tally, act: () => Promise<Outcome>): Promise<void> {
  const since = performance.now();
  const outcome = await act().catch((): Outcome => 'failed');
  counts[outcome] += 1;
  counts.tookMs.push(performance.now() - since);
}

function summed({ tookMs, ...counts }: Tally): Counts {
  const sorted = tookMs.sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { ...counts, p50Ms: at(0.5), longestMs: at(1) };
}
