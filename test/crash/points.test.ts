import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import { eventually, type Kerf, type ModuleName, placements } from '../harness/kerf.ts';
import { Shop } from '../harness/shop.ts';
import { checkoutPoints, eventPoints, wayBackPoints } from './points.ts';
import { type OrderAnswers, orderIdOf, resume, rush, wishes } from './rush.ts';
import { Scene } from './scene.ts';

const email = 'buyer@example.com';
const ways: readonly { name: string; out: readonly ModuleName[] }[] = [
  { name: 'in one process', out: [] },
  { name: 'with orders, inventory and payments out', out: ['orders', 'inventory', 'payments'] },
];
const all = [...checkoutPoints, ...eventPoints, ...wayBackPoints];
const everySixth = all.filter((_, index) => index % 6 === 0);
const rest = all.filter((point) => !everySixth.includes(point));

/** A system in which a process dies once at a crash point. The test restarts the system if the home process died. */
class Mortal {
  readonly #scene: Scene;
  #kerf!: Kerf;
  private readonly point: string;

  constructor(point: string, env: Record<string, string>) {
    this.point = point;
    this.#scene = new Scene({ ...env, FAULT_POINT: point });
  }

  async start(): Promise<Shop> {
    this.#kerf = await this.#scene.start();
    return new Shop(this.#kerf.url);
  }

  /** Waits for the death of a process, and restarts the system if necessary. Resolves with a signed-in client. */
  async revive(): Promise<Shop> {
    const mark = join(this.#scene.dataDir, 'fault-points', encodeURIComponent(this.point));
    await eventually(async () => existsSync(mark), `a process to die at ${this.point}`);
    const whole = await Promise.race([this.#kerf.exited(), this.#kerf.ops('/healthz').catch(() => null)]);
    if (whole === null) await this.start();
    return new Shop(this.#kerf.url).signIn(email);
  }

  endsWell(orderAnswers: OrderAnswers): Promise<void> {
    return this.#scene.endsWell(this.#kerf, orderAnswers);
  }
}

for (const { name, out } of ways) {
  describe(`a kill -9 ${name}`, () => {
    const leavesNothing = async (point: string) => {
      const mortal = new Mortal(point, placements({ name, out }));
      const shop = await (await mortal.start()).join({ email, phone: '+82 10 1234 5678' });
      const orders = wishes(5);
      const orderAnswers = await rush(shop, orders, { width: 2 });
      await cancelOne(shop, orderAnswers).catch(() => {});
      const back = await mortal.revive();
      await resume(back, orders, orderAnswers);
      await eventually(() => cancelOne(back, orderAnswers), 'an order to be cancelled');
      await mortal.endsWell(orderAnswers);
    };
    const [some, others] = out.length === 0 ? [everySixth, rest] : [[], all];
    const title = 'at %s leaves no work undone and repeats none';
    it.each(some)(title, leavesNothing);
    it.each(others)(title, deep, leavesNothing);
  });
}

/** Cancels the first confirmed order. Resolves with true when it is cancelled, now or before. */
async function cancelOne(shop: Shop, orderAnswers: OrderAnswers): Promise<boolean> {
  const confirmed = [...orderAnswers.values()].find(({ status }) => status === 201);
  if (!confirmed) return false;
  const { status } = await shop.post(`/orders/${orderIdOf(confirmed)}/cancel`, {});
  return status === 200 || status === 409;
}
