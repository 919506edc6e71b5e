import { type PaymentChange, ProviderBooks } from '../harness/provider-books.ts';
import { Life } from './host.ts';
import type { World } from './world.ts';

const answerWithinMs = 4_000;
const forever = Number.POSITIVE_INFINITY;

/** A payment provider outside the system. No crash of the system touches its books. */
export class Provider {
  /** The provider never crashes; only the network to it fails. */
  readonly life: Life;
  /** The state of each payment that the provider knows. */
  readonly books = new ProviderBooks();
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
    this.life = new Life({ names: ['provider'] });
    this.life.reachable = true;
  }

  /** Replaces `fetch`. Only the payments module calls it. */
  readonly fetch = async (url: string, { body }: { body: string }): Promise<{ status: number }> => {
    const { world } = this;
    const { life } = world.hostOf('payments');
    if (!life) return new Promise(() => {});
    const [id = JSON.parse(body).id, action = 'authorize'] = new URL(url).pathname.split('/').slice(2);
    const answer = await world.network.exchange(life, {
      from: 'payments',
      to: 'provider',
      what: action,
      line: JSON.stringify({ paymentId: id, ...JSON.parse(body) }),
      deadline: world.flaw === 'waits for a command in steps forever' ? forever : world.scheduler.time + answerWithinMs,
      late: () => new Error('the provider did not answer'),
      unwanted: () => new Error('nobody waits for the provider'),
      withKey: true,
      serve: async (_life, line) => this.#serve(id, action as PaymentChange | 'authorize', JSON.parse(line).token),
    });
    return { status: answer as number };
  };

  async #serve(id: string, action: PaymentChange | 'authorize', token: string): Promise<number> {
    if (this.world.strikes('hang')) return new Promise(() => {});
    if (action === 'authorize') {
      if (token === 'tok_slow') await new Promise<void>((over) => this.world.scheduler.after(3_000, over));
      return this.books.authorize(id, token);
    }
    if (action === 'void' && this.world.flaw === 'voids payments only in its own records') return 200;
    return this.books.change(id, action);
  }
}
