import type { Clock } from '../clock/index.ts';
import type { Log } from '../observability/index.ts';
import { Breaker, type BreakerPolicy } from '../resilience/index.ts';
import type { Link } from '../transport/index.ts';
import type { Discovery } from './discovery/index.ts';

/** One instance of a module elsewhere, as this process sees it. */
export interface Member {
  readonly address: string;
  readonly link: Link;
  readonly breaker: Breaker;
  /** Calls of this process that it has not answered yet. */
  inFlight: number;
  /** It said that it is about to stop. */
  leaving: boolean;
}

export interface BalancerParts {
  readonly module: string;
  readonly discovery: Discovery;
  readonly connect: (address: string, onLeaving: () => void) => Link;
  /** Rejects when the instance does not answer. */
  readonly ping: (link: Link) => Promise<unknown>;
  readonly breaker: BreakerPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** One has come, or has come back. */
  readonly onReachable: () => void;
}

/**
 * Chooses among the instances of a module the one that has less to do of two taken at random. One that fails is left out until
 * it answers a probe, so that no call is spent on finding out.
 */
export class Balancer {
  #members: readonly Member[] = [];
  readonly #parts: BalancerParts;
  #closed = false;

  constructor(parts: BalancerParts) {
    this.#parts = parts;
    parts.discovery.watch((addresses) => this.#update(addresses));
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** One that works, if there is one; rather one that was not `tried`, and that is not about to stop. */
  pick(tried?: ReadonlySet<Member>): Member | undefined {
    let choice = this.#members.length > 1 || !works(this.#members[0]) ? this.#members.filter(works) : this.#members;
    if (choice.length <= 1) return choice[0];
    for (const better of [(each: Member) => !each.leaving, (each: Member) => !tried?.has(each)]) {
      const some = choice.filter(better);
      if (some.length > 0) choice = some;
    }
    if (choice.length <= 1) return choice[0];
    const first = Math.floor(this.#parts.random() * choice.length);
    const second = (first + 1 + Math.floor(this.#parts.random() * (choice.length - 1))) % choice.length;
    const [one, other] = [choice[first]!, choice[second]!];
    return other.inFlight < one.inFlight ? other : one;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#parts.discovery.stop();
    const members = this.#members;
    this.#members = [];
    await Promise.all(members.map(({ link }) => link.close()));
  }

  #update(addresses: readonly string[]): void {
    if (this.#closed) return;
    const gone = this.#members.filter(({ address }) => !addresses.includes(address));
    const known = this.#members.map(({ address }) => address);
    const fresh = addresses.filter((address) => !known.includes(address)).map((address) => this.#join(address));
    this.#members = [...this.#members.filter((member) => !gone.includes(member)), ...fresh];
    for (const member of gone) void this.#closeWhenIdle(member);
    if (fresh.length > 0) this.#parts.onReachable();
  }

  #join(address: string): Member {
    const { module, connect, breaker, clock, log } = this.#parts;
    const member: Member = {
      address,
      link: connect(address, () => {
        member.leaving = true;
        // Whoever takes its place may have the same address.
        clock.after(breaker.openMs, () => {
          member.leaving = false;
        });
      }),
      breaker: new Breaker(breaker, clock, (state) => {
        if (state.kind === 'half-open') return;
        log.warn(
          { module, address },
          state.kind === 'open' ? 'an instance fails and is left out' : 'an instance is back',
        );
        if (state.kind === 'closed') return this.#parts.onReachable();
        this.#parts.discovery.dead(address);
        this.#probeAfter(member, state.forMs);
      }),
      inFlight: 0,
      leaving: false,
    };
    return member;
  }

  #probeAfter(member: Member, delayMs: number): void {
    this.#parts.clock.after(delayMs, () => {
      if (this.#members.includes(member)) void this.#probe(member);
    });
  }

  /** Asks until the breaker has heard enough to close, or opens again. */
  async #probe(member: Member): Promise<void> {
    const { breaker, link } = member;
    for (let pass = breaker.admits(); pass !== 0; pass = breaker.state.kind === 'half-open' ? breaker.admits() : 0) {
      await this.#parts.ping(link).then(
        () => breaker.succeeded(pass),
        () => breaker.failed(pass, 'unreachable'),
      );
    }
  }

  /** One that is no longer listed may still answer what it was asked. */
  async #closeWhenIdle(member: Member): Promise<void> {
    if (member.inFlight === 0 || this.#closed) return member.link.close();
    this.#parts.clock.after(200, () => void this.#closeWhenIdle(member));
  }
}

function works(member: Member | undefined): boolean {
  return member?.breaker.state.kind === 'closed';
}
