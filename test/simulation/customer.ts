import { members } from '../../src/modules/members/contract.ts';
import { type Order, orders } from '../../src/modules/orders/contract.ts';
import { createCall } from '../../src/shared/kernel/calls/index.ts';
import type { Operation } from '../../src/shared/kernel/contract/index.ts';
import { isRefusal, isTransient, type Refusal } from '../../src/shared/kernel/errors/index.ts';
import type { SignUp, Wish } from './plan.ts';
import type { World } from './world.ts';

/** A member's order and its final answers: to the order and to its cancellation. */
export interface Asked {
  readonly wish: Wish;
  readonly memberId: string;
  placed?: Order | Refusal;
  cancelled?: Order | Refusal;
}

/** A client outside the system. It repeats a request under the same key until it gets an answer. */
abstract class Person {
  content = false;
  protected readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  abstract live(): Promise<void>;

  protected async insist<T>(operation: Operation, input: unknown, idempotencyKey: string): Promise<T | Refusal> {
    const call = createCall(operation, 'gateway', () => this.world.network.transport());
    for (;;) {
      const impatience = this.#impatience();
      try {
        return (await call(input, { idempotencyKey, ...impatience })) as T;
      } catch (error) {
        if (isRefusal(error) && !isTransient(error) && !impatience.signal?.aborted) return error;
      }
      await this.pause(this.world.random.between(50, 1_000));
    }
  }

  /** Draws whether the client hangs up at some point, or sets a timeout that may be too short. */
  #impatience(): { signal?: AbortSignal; timeoutMs?: number } {
    const { world } = this;
    if (!world.strikes('hangUp')) return {};
    const afterMs = world.random.pick([world.random.between(0, 20), world.random.between(20, 1_000)]);
    if (world.random.chance(0.3)) return { timeoutMs: Math.ceil(afterMs) };
    const hangingUp = new AbortController();
    world.scheduler.after(afterMs, () => hangingUp.abort());
    return { signal: hangingUp.signal };
  }

  protected pause(forMs: number): Promise<void> {
    return new Promise((resolve) => this.world.scheduler.after(forMs, resolve));
  }
}

/** A member that orders, and may cancel the order. */
export class Customer extends Person {
  readonly asked: Asked;

  constructor(wish: Wish, memberId: string, world: World) {
    super(world);
    this.asked = { wish, memberId };
  }

  async live(): Promise<void> {
    const { wish, memberId } = this.asked;
    const { key, paymentToken, waitMs } = wish;
    await this.pause(wish.afterMs);
    const order = { memberId, key, paymentToken, waitMs, lines: wish.lines };
    this.asked.placed = await this.insist<Order>(orders.operations.place, order, key);
    const { placed } = this.asked;
    if (wish.cancelled && !isRefusal(placed) && placed.status === 'confirmed') {
      await this.pause(this.world.random.between(0, 2_000));
      const cancelling = { id: placed.id, memberId };
      this.asked.cancelled = await this.insist<Order>(orders.operations.cancel, cancelling, `cancel ${key}`);
    }
    this.content = true;
  }
}

/** A person that signs up. */
export class Applicant extends Person {
  readonly email: string;
  /** The answer to the sign-up. */
  answer: { readonly id: string } | Refusal | undefined;
  private readonly plan: SignUp;

  constructor(plan: SignUp, world: World) {
    super(world);
    this.plan = plan;
    this.email = `${plan.key}@example.com`;
  }

  async live(): Promise<void> {
    const { key, phone, afterMs } = this.plan;
    await this.pause(afterMs);
    const input = { email: this.email, password: 'correct horse', name: 'Eve', phone };
    this.answer = await this.insist<{ id: string }>(members.operations.signUp, input, key);
    this.content = true;
  }
}
