import { type Order, orders } from '../../src/modules/orders/contract.ts';
import type { Operation } from '../../src/shared/contract/index.ts';
import { isRefusal, isTransient, type Refusal } from '../../src/shared/errors/index.ts';
import { createCall } from '../../src/shared/transport/index.ts';
import type { Wish } from './plan.ts';
import type { World } from './world.ts';

/** What a member asked for, and the answers: the last of each kind is the one that counts. */
export interface Asked {
  readonly wish: Wish;
  readonly memberId: string;
  placed?: Order | Refusal;
  cancelled?: Order | Refusal;
}

/** Somebody outside, with a program that sends what it wants again, under the same key, until it is answered. */
export class Customer {
  readonly asked: Asked;
  content = false;

  constructor(
    wish: Wish,
    memberId: string,
    private readonly world: World,
  ) {
    this.asked = { wish, memberId };
  }

  async live(): Promise<void> {
    const { wish, memberId } = this.asked;
    const { key, paymentToken, waitMs } = wish;
    await this.#pause(wish.afterMs);
    const order = { memberId, key, paymentToken, waitMs, lines: wish.lines };
    this.asked.placed = await this.#insist(orders.operations.place, order, key);
    const { placed } = this.asked;
    if (wish.cancelled && !isRefusal(placed) && placed.status === 'confirmed') {
      await this.#pause(this.world.random.between(0, 2_000));
      this.asked.cancelled = await this.#insist(orders.operations.cancel, { id: placed.id, memberId }, `cancel ${key}`);
    }
    this.content = true;
  }

  async #insist(operation: Operation, input: unknown, idempotencyKey: string): Promise<Order | Refusal> {
    const call = createCall(operation, 'gateway', () => this.world.network.transport());
    for (;;) {
      try {
        return (await call(input, { idempotencyKey })) as Order;
      } catch (error) {
        if (isRefusal(error) && !isTransient(error)) return error;
      }
      await this.#pause(this.world.random.between(50, 1_000));
    }
  }

  #pause(forMs: number): Promise<void> {
    return new Promise((resolve) => this.world.scheduler.after(forMs, resolve));
  }
}
