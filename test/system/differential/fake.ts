import { randomUUID } from 'node:crypto';
import type { Answer } from '../../harness/shop.ts';
import { goods, type Line } from './steps.ts';
import type { Asked, World } from './world.ts';

/** A bug that a test plants in a fake world. */
export type Flaw =
  | 'shows every order to everybody'
  | 'ignores idempotency keys'
  | 'keeps the stock of cancelled orders'
  | 'returns inconsistent errors';

interface Kept {
  id: string;
  owner: string;
  status: 'confirmed' | 'cancelled';
  lines: Line[];
  asked: string;
  key: string;
}

/** The smallest shop that can run histories. It keeps only members, orders and stock, in memory. */
export class FakeWorld implements World {
  readonly #members = new Map<string, string>();
  readonly #orders: Kept[] = [];
  readonly #stock = new Map<string, number>(goods.map((sku) => [sku, sku === 'LIMITED-1' ? 5 : 1_000_000]));
  readonly name: string;
  private readonly flaw?: Flaw;

  constructor(name: string, flaw?: Flaw) {
    this.name = name;
    this.flaw = flaw;
  }

  async settle(): Promise<void> {}

  async send<T>({ method, path, token = '', body, headers }: Asked): Promise<Answer<T>> {
    const [status, answer] = this.#route(`${method} ${path}`, token, body as never, headers?.['idempotency-key'] ?? '');
    const shape = status < 400 ? answer : { code: answer };
    return { status, headers: new Headers(), body: structuredClone(shape) as T };
  }

  #route(request: string, member: string, body: never, key: string): [status: number, answer: unknown] {
    const [place = '', id = '', more = ''] = request
      .split('/')
      .slice(1)
      .map((part) => part.split('?')[0]!);
    if (request === 'POST /members') return this.#signUp(body);
    if (request === 'POST /sessions') return this.#signIn(body);
    if (request === 'POST /orders') return this.#order(member, body, key);
    if (place === 'products' && !id) return [200, { items: this.#products() }];
    if (place === 'products') return [200, this.#products().find(({ sku }) => sku === id) ?? {}];
    if (place === 'orders' && !id) return [200, { items: this.#orders.filter(({ owner }) => owner === member) }];
    if (place === 'orders') return this.#ofOrder(member, id, more);
    if (place === 'messages' || place === 'posts' || place === 'recommendations') return [200, { items: [] }];
    return [404, 'not-found'];
  }

  #products() {
    return [...this.#stock].map(([sku, available]) => ({ sku, available }));
  }

  #signUp({ email }: { email: string }): [number, unknown] {
    if (this.#members.has(email)) return [409, 'email-taken'];
    this.#members.set(email, randomUUID());
    return [201, { id: this.#members.get(email), email }];
  }

  #signIn({ email, password }: { email: string; password: string }): [number, unknown] {
    const token = this.#members.get(email);
    return token && password === 'correct horse' ? [201, { token }] : [401, 'bad-credentials'];
  }

  #order(owner: string, body: { lines: Line[]; payment: { token: string } }, key: string): [number, unknown] {
    if (!owner) return [401, 'unauthenticated'];
    const asked = JSON.stringify(body);
    const earlier = this.#orders.find((order) => order.owner === owner && order.key === key);
    if (earlier && this.flaw !== 'ignores idempotency keys') {
      return earlier.asked === asked ? [201, earlier] : [422, 'idempotency-key-reused'];
    }
    if (body.lines.some(({ sku, quantity }) => !this.#stock.has(sku) || quantity < 1)) return [422, 'invalid-input'];
    if (body.lines.some(({ sku, quantity }) => this.#stock.get(sku)! < quantity)) return [409, 'out-of-stock'];
    if (body.payment.token === 'tok_declined') return [402, 'payment-declined'];
    this.#move(body.lines, -1);
    const order: Kept = { id: randomUUID(), owner, status: 'confirmed', lines: body.lines, asked, key };
    this.#orders.push(order);
    return [201, order];
  }

  #ofOrder(member: string, id: string, more: string): [number, unknown] {
    const order = this.#orders.find((each) => each.id === id);
    const shown = this.flaw === 'shows every order to everybody' || order?.owner === member;
    if (!order || !shown) return [this.flaw === 'returns inconsistent errors' ? 403 : 404, 'not-found'];
    if (more !== 'cancel') return [200, order];
    if (order.status !== 'confirmed') return [409, 'not-cancellable'];
    order.status = 'cancelled';
    if (this.flaw !== 'keeps the stock of cancelled orders') this.#move(order.lines, 1);
    return [200, order];
  }

  #move(lines: readonly Line[], sign: 1 | -1): void {
    for (const { sku, quantity } of lines) this.#stock.set(sku, this.#stock.get(sku)! + sign * quantity);
  }
}
