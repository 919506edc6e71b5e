import { Life } from './host.ts';
import type { World } from './world.ts';

type State = 'authorized' | 'declined' | 'captured' | 'voided' | 'refunded';

const answerWithinMs = 4_000;
const next = { capture: 'captured', void: 'voided', refund: 'refunded' } as const;
const before: Record<keyof typeof next, readonly (State | undefined)[]> = {
  capture: ['authorized'],
  void: ['authorized', undefined],
  refund: ['captured'],
};

/** A payment provider in the outside world, with books of its own, which no crash of ours touches. */
export class Provider {
  /** It is never away; only the ways to it are bad. */
  readonly life: Life;
  /** What became of each payment it was ever asked for. */
  readonly books = new Map<string, State>();
  readonly #failures = new Map<string, number>();

  constructor(private readonly world: World) {
    this.life = new Life({ names: ['provider'] });
    this.life.reachable = true;
  }

  /** In the place of `fetch`, for the one who calls it: the payments module. */
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
      deadline: world.scheduler.time + answerWithinMs,
      late: () => new Error('the provider did not answer'),
      withKey: true,
      serve: async (_life, line) => this.#serve(id, action as keyof typeof next | 'authorize', JSON.parse(line).token),
    });
    return { status: answer as number };
  };

  async #serve(id: string, action: keyof typeof next | 'authorize', token: string): Promise<number> {
    const state = this.books.get(id);
    if (action === 'authorize') return this.#authorize(id, state, token);
    if (action === 'void' && this.world.flaw === 'gives money back in its own books only') return 200;
    if (state === next[action]) return 200;
    if (!before[action].includes(state)) return action === 'void' && state === 'declined' ? 404 : 409;
    this.books.set(id, next[action]);
    return 200;
  }

  /** What is void stays void. What fails may have happened all the same. */
  async #authorize(id: string, state: State | undefined, token: string): Promise<number> {
    if (token === 'tok_slow') await new Promise<void>((over) => this.world.scheduler.after(3_000, over));
    const known = this.books.get(id) ?? state;
    if (known === 'declined') return 402;
    if (known === 'voided' || known === 'refunded') return 409;
    if (token === 'tok_declined') {
      this.books.set(id, 'declined');
      return 402;
    }
    this.books.set(id, known ?? 'authorized');
    const failures = this.#failures.get(id) ?? 0;
    this.#failures.set(id, failures + 1);
    return token === 'tok_error' || (token === 'tok_flaky' && failures < 2) ? 503 : 201;
  }
}
