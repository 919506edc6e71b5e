import { randomUUID } from 'node:crypto';
import { eventually } from '../harness/kerf.ts';
import type { Answer, Outcome, Shop } from '../harness/shop.ts';

/** An order to place. A repeat under its key means the same order. */
export interface Wish {
  readonly key: string;
  readonly sku: string;
  readonly quantity: number;
  readonly token: string;
}

type Placed = Answer<Outcome>;

const kinds = [
  { sku: 'MALLET', quantity: 1, token: 'tok_ok' },
  { sku: 'GLUE', quantity: 3, token: 'tok_ok' },
  { sku: 'MALLET', quantity: 2, token: 'tok_declined' },
  { sku: 'LIMITED-1', quantity: 1, token: 'tok_ok' },
  { sku: 'GLUE', quantity: 1, token: 'tok_flaky' },
];

/** Creates orders of every kind in turn: successful, declined, of scarce stock, with a flaky payment. */
export function wishes(count: number): Wish[] {
  return Array.from({ length: count }, (_, index) => ({ key: randomUUID(), ...kinds[index % kinds.length]! }));
}

/** Answers to the orders, by key. */
export type OrderAnswers = Map<string, Placed>;

export interface RushOptions {
  /** Number of orders in flight at a time. */
  width?: number;
  /** Called after each answer, in order. A test may kill the system here. */
  onAnswer?: (count: number) => void;
  /** Whether to repeat an order under its key until an answer arrives, as a careful client does. */
  patient?: boolean;
}

/** Places the orders in parallel. Resolves with the answers. Without `patient`, a dead system leaves orders without an answer. */
export async function rush(shop: Shop, orders: readonly Wish[], options: RushOptions = {}): Promise<OrderAnswers> {
  const { width = 25, onAnswer, patient } = options;
  const orderAnswers: OrderAnswers = new Map();
  const left = [...orders];
  const one = async () => {
    for (let wish = left.shift(); wish; wish = left.shift()) {
      const answer = patient ? await insist(shop, wish) : await place(shop, wish);
      if (!answer) continue;
      orderAnswers.set(wish.key, answer);
      onAnswer?.(orderAnswers.size);
    }
  };
  await Promise.all(Array.from({ length: width }, one));
  return orderAnswers;
}

/** Repeats the orders without an answer, and adds the answers to `orderAnswers`. */
export async function resume(shop: Shop, orders: readonly Wish[], orderAnswers: OrderAnswers): Promise<void> {
  const unanswered = orders.filter(({ key }) => !orderAnswers.has(key));
  for (const [key, answer] of await rush(shop, unanswered, { patient: true })) orderAnswers.set(key, answer);
}

function insist(shop: Shop, wish: Wish): Promise<Placed> {
  return eventually(() => place(shop, wish), `an answer to order ${wish.key}`);
}

/** Places an order once. Resolves with undefined without an answer, or with one that decides nothing. */
async function place(shop: Shop, { sku, quantity, token, key }: Wish): Promise<Placed | undefined> {
  try {
    const answer = await shop.order(sku, quantity, { token, key });
    return [201, 202, 402, 409].includes(answer.status) ? answer : undefined;
  } catch {
    return undefined;
  }
}

export function orderIdOf({ body }: Placed): string {
  return body.orderId ?? body.id;
}
