import { randomUUID } from 'node:crypto';
import { eventually } from '../../harness/kerf.ts';
import type { Answer, Order, Outcome } from '../../harness/shop.ts';
import { Normalizer } from './normalize.ts';
import type { Person, Step } from './steps.ts';
import { type Measures, measure, type Shown, show } from './view.ts';
import type { Asked, World } from './world.ts';

const nowhere = '00000000-0000-7000-8000-000000000000';
const password = 'correct horse';

type Of<K extends Step['kind']> = Extract<Step, { kind: K }>;

/** Runs a history in one world. Returns its observations in a form that is the same in every world. */
export class Player {
  readonly tokens = new Map<Person, string>();
  readonly orders: { id: string; who: Person }[] = [];
  readonly posts: string[] = [];
  readonly #normalizer = new Normalizer();
  #before!: Measures;
  readonly world: World;
  private readonly history: string;

  /** `history` is an id, the same in every world. It separates this history's members from members of other histories. */
  constructor(world: World, history: string) {
    this.world = world;
    this.history = history;
  }

  async begin(): Promise<void> {
    this.#before = await measure(this.world);
  }

  async perform(step: Step): Promise<unknown> {
    const { status, headers, body } = await this.#act(step);
    const [type, location] = ['content-type', 'location'].map((name) => headers.get(name));
    return this.#normalizer.normalize({ status, type, location, body });
  }

  /** Returns the visible state when nothing is in flight. */
  async atRest(): Promise<Shown> {
    await this.world.settle();
    return this.#normalizer.normalize(await show(this, this.#before)) as Shown;
  }

  /** Returns scarce goods to the stock, because the next history needs them too. */
  async leave(): Promise<void> {
    for (const { id, who } of this.orders) {
      const { body } = await this.send<Order>(who, { method: 'GET', path: `/orders/${id}` });
      const scarce = body.status === 'confirmed' && body.lines.some(({ sku }) => sku === 'LIMITED-1');
      if (scarce) await this.send(who, { method: 'POST', path: `/orders/${id}/cancel` });
    }
    await this.world.settle();
  }

  send<T>(who: Person | undefined, asked: Asked): Promise<Answer<T>> {
    return this.world.send({ ...asked, ...(who && { token: this.tokens.get(who) }) });
  }

  #act(step: Step): Promise<Answer<unknown>> {
    switch (step.kind) {
      case 'sign up':
        return this.#signUp(step);
      case 'mistype':
        return this.#ask('POST', '/sessions', undefined, { email: this.#email(step.who), password: 'battery staple' });
      case 'order':
        return this.#order(step);
      case 'cancel':
        return this.#cancel(step);
      case 'read order':
        return this.#ask('GET', `/orders/${this.#orderId(step.order)}`, step.who);
      case 'list orders':
        return this.#ask('GET', `/orders?limit=${step.limit}`, step.who);
      case 'post':
        return this.#post(step);
      case 'comment':
        return this.#ask('POST', `/posts/${this.#postId(step.post)}/comments`, step.who, { body: step.text });
      case 'read post':
        return this.#ask('GET', `/posts/${this.#postId(step.post)}`);
      case 'look':
        return this.#look(step);
    }
  }

  #ask(method: 'GET' | 'POST', path: string, who?: Person, body?: unknown): Promise<Answer<unknown>> {
    return this.send(who, { method, path, body });
  }

  async #signUp({ who, phone }: Of<'sign up'>): Promise<Answer<unknown>> {
    const email = this.#email(who);
    const body = { email, password, name: who, ...(phone && { phone: '010-1234-5678' }) };
    const answer = await this.#ask('POST', '/members', undefined, body);
    const session = await this.world.send<{ token: string }>({
      ...{ method: 'POST', path: '/sessions' },
      body: { email, password },
    });
    if (session.status === 201) this.tokens.set(who, session.body.token);
    return answer;
  }

  /** Places an order. After a 202 it repeats the request until the order is decided, because the comparison ignores speed. */
  async #order({ who, lines, token, key }: Of<'order'>): Promise<Answer<unknown>> {
    const headers = { prefer: 'wait=10', 'idempotency-key': key === null ? randomUUID() : `${this.history}/${key}` };
    const asked: Asked = { method: 'POST', path: '/orders', body: { lines, payment: { token } }, headers };
    let answer = await this.send<Outcome>(who, asked);
    if (answer.status === 202) {
      await eventually(async () => {
        answer = await this.send<Outcome>(who, asked);
        return answer.status !== 202;
      }, 'the decision about an order');
    }
    const id = answer.body.orderId ?? answer.body.id;
    if (id && !this.orders.some((known) => known.id === id)) this.orders.push({ id, who });
    return answer;
  }

  async #cancel({ who, order }: Of<'cancel'>): Promise<Answer<unknown>> {
    const answer = await this.#ask('POST', `/orders/${this.#orderId(order)}/cancel`, who);
    if (answer.status === 200) await this.world.settle();
    return answer;
  }

  async #post({ who, title }: Of<'post'>): Promise<Answer<unknown>> {
    const answer = await this.send<{ id: string }>(who, {
      method: 'POST',
      path: '/posts',
      body: { title, body: title },
    });
    if (answer.status === 201) this.posts.push(answer.body.id);
    return answer;
  }

  /** Reads a product. Shows its stock as the change since this history began, because other histories change it too. */
  async #look({ sku }: Of<'look'>): Promise<Answer<unknown>> {
    const { status, headers, body } = await this.send<Record<string, unknown>>(undefined, {
      ...{ method: 'GET', path: `/products/${sku}` },
    });
    const { available: _, ...rest } = body;
    const { stock } = await measure(this.world);
    return { status, headers, body: { ...rest, change: (stock[sku] ?? 0) - (this.#before.stock[sku] ?? 0) } };
  }

  #email(who: Person): string {
    return `${who}.${this.history}@example.com`;
  }

  #orderId(nth: number): string {
    return this.orders.length === 0 ? nowhere : this.orders[nth % this.orders.length]!.id;
  }

  #postId(nth: number): string {
    return this.posts.length === 0 ? nowhere : this.posts[nth % this.posts.length]!;
  }
}
