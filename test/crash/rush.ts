import { randomUUID } from 'node:crypto';
import { eventually } from '../harness/kerf.ts';
import type { Answer, Outcome, Shop } from '../harness/shop.ts';

/** An order a member is about to place, with the key that makes it the same order however often it is sent. */
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

/** Orders of every kind in turn: that go well, that are declined, that meet the end of the stock, that need a repeat. */
export function wishes(count: number): Wish[] {
  return Array.from({ length: count }, (_, index) => ({ key: randomUUID(), ...kinds[index % kinds.length]! }));
}

/** What members were told of their orders, by key. */
export type Told = Map<string, Placed>;

export interface RushOptions {
  /** How many are in flight at a time. */
  width?: number;
  /** Called at each answer, in order: the place from which a test pulls the plug. */
  onAnswer?: (count: number) => void;
  /** Sends an order again under its key until it is answered, as a careful program does. */
  patient?: boolean;
}

/** Places the orders side by side; resolves with what was answered. Who is not patient loses some to a dead system. */
export async function rush(shop: Shop, orders: readonly Wish[], options: RushOptions = {}): Promise<Told> {
  const { width = 25, onAnswer, patient } = options;
  const told: Told = new Map();
  const left = [...orders];
  const one = async () => {
    for (let wish = left.shift(); wish; wish = left.shift()) {
      const answer = patient ? await insist(shop, wish) : await place(shop, wish);
      if (!answer) continue;
      told.set(wish.key, answer);
      onAnswer?.(told.size);
    }
  };
  await Promise.all(Array.from({ length: width }, one));
  return told;
}

/** Places again what was not answered before, and adds it to what was told. */
export async function resume(shop: Shop, orders: readonly Wish[], told: Told): Promise<void> {
  const unanswered = orders.filter(({ key }) => !told.has(key));
  for (const [key, answer] of await rush(shop, unanswered, { patient: true })) told.set(key, answer);
}

function insist(shop: Shop, wish: Wish): Promise<Placed> {
  return eventually(() => place(shop, wish), `an answer to order ${wish.key}`);
}

/** `undefined` when there was no answer, or one that decides nothing. */
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
