import { randomUUID } from 'node:crypto';

const everyMs = 100;

/** Starts an order, a post and a sign-up every 100 ms, without waiting for earlier ones. */
export class Load {
  #system;
  #token;
  #pending = new Set();
  #confirmed = 0;

  static async begin(system) {
    const load = new Load();
    load.#system = system;
    load.#token = await load.#signIn();
    return load;
  }

  /** What people met meanwhile: how many were served, how many were told to wait, how many failed, and after how long. */
  async watch(forMs) {
    const seen = { orders: tally(), posts: tally(), signUps: tally() };
    const acts = [
      [seen.orders, () => this.#order()],
      [seen.posts, () => this.#post('/posts', { title: 'A drill', body: 'Written while something was broken' }, 201)],
      [seen.signUps, () => this.#post('/members', person(), 201)],
    ];
    const under = [];
    const end = performance.now() + forMs;
    while (performance.now() < end) {
      for (const [counts, act] of acts) under.push(measured(counts, act));
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    await Promise.all(under);
    return Object.fromEntries(Object.entries(seen).map(([what, counts]) => [what, summed(counts)]));
  }

  /** Waits for the orders that were told to wait. */
  async settle(withinMs) {
    const end = performance.now() + withinMs;
    while (this.#pending.size > 0 && performance.now() < end) {
      for (const id of this.#pending) {
        const { body } = await this.#send('GET', `/orders/${id}`);
        if (body.status === 'pending') continue;
        this.#pending.delete(id);
        if (body.status === 'confirmed') this.#confirmed += 1;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return { confirmedLater: this.#confirmed, unsettled: this.#pending.size };
  }

  async #order() {
    const order = { lines: [{ sku: 'WAX', quantity: 1 }], payment: { token: 'tok_ok' } };
    const headers = { 'idempotency-key': randomUUID(), prefer: 'wait=1' };
    const { status, body } = await this.#send('POST', '/orders', order, headers);
    if (status === 202) this.#pending.add(body.id);
    return status === 201 ? 'ok' : status === 202 ? 'waiting' : 'failed';
  }

  async #post(path, body, wanted) {
    return (await this.#send('POST', path, body)).status === wanted ? 'ok' : 'failed';
  }

  async #signIn() {
    const { email, password, ...rest } = person();
    await this.#send('POST', '/members', { email, password, ...rest });
    return (await this.#send('POST', '/sessions', { email, password })).body.token;
  }

  async #send(method, path, body, headers = {}) {
    const answer = await fetch(`${this.#system.url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(this.#token && { authorization: `Bearer ${this.#token}` }),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  }
}

function person() {
  return { email: `${randomUUID()}@example.com`, password: 'correct horse', name: 'Ann' };
}

function tally() {
  return { ok: 0, waiting: 0, failed: 0, tookMs: [] };
}

async function measured(counts, act) {
  const since = performance.now();
  const outcome = await act().catch(() => 'failed');
  counts[outcome] += 1;
  counts.tookMs.push(performance.now() - since);
}

function summed({ tookMs, ...counts }) {
  const sorted = tookMs.sort((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { ...counts, p50Ms: at(0.5), longestMs: at(1) };
}
