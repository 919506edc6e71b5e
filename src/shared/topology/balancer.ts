import type { Cancel, Clock } from '../clock/index.ts';
import { messageOf } from '../errors/index.ts';
import type { Log } from '../observability/index.ts';
import { Breaker, type BreakerPolicy, type BreakerState } from '../resilience/index.ts';
import type { Link } from '../transport/index.ts';
import type { Discovery } from './discovery/index.ts';

/** One instance of a module elsewhere, as this process sees it. */
export interface Member {
  readonly address: string;
  readonly link: Link;
  readonly breaker: Breaker;
  /** Calls of this process that it has not answered yet. */
  inFlight: number;
  /** It said that it is about to stop; in milliseconds since 1970, since whoever takes its place may have its address. */
  leavingUntil: number;
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

/** How soon it is looked again when it was too soon to probe: a timer may come before its time. */
const soonMs = 10;
/** Addresses remembered that failed when they were last listed; the oldest is forgotten first. */
const mostFailing = 1_000;

/**
 * Chooses among the instances of a module the one that has less to do of two taken at random. One that fails is left out until
 * it answers a probe, so that no call is spent on finding out.
 */
export class Balancer {
  #members: readonly Member[] = [];
  /** No longer listed, and not done with what they were asked. */
  readonly #draining = new Set<Member>();
  /** Of addresses that failed when they were last listed: if they come back, it is by a probe. */
  readonly #failing = new Map<string, Breaker>();
  /** The next probe of each member that is left out. */
  readonly #probes = new Map<Member, Cancel>();
  #whenDrained: (() => void)[] = [];
  /** Asked at the moment whether they live. */
  readonly #suspected = new Set<Member>();
  /** How a call of each failed last. */
  readonly #why = new WeakMap<Breaker, string>();
  readonly #parts: BalancerParts;
  #closed = false;

  constructor(parts: BalancerParts) {
    this.#parts = parts;
    parts.discovery.watch((addresses) => this.#update(addresses));
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** One that works, if there is one; rather one that was not `tried`, and then one that is not about to stop. */
  pick(tried?: ReadonlySet<Member>): Member | undefined {
    let choice = this.#members.length > 1 || !works(this.#members[0]) ? this.#members.filter(works) : this.#members;
    if (choice.length <= 1) return choice[0];
    const now = this.#parts.clock.now();
    for (const better of [(each: Member) => !tried?.has(each), (each: Member) => each.leavingUntil <= now]) {
      const some = choice.filter(better);
      if (some.length > 0) choice = some;
    }
    if (choice.length <= 1) return choice[0];
    const first = Math.floor(this.#parts.random() * choice.length);
    const second = (first + 1 + Math.floor(this.#parts.random() * (choice.length - 1))) % choice.length;
    const [one, other] = [choice[first]!, choice[second]!];
    return other.inFlight < one.inFlight ? other : one;
  }

  /** A call of it has ended, in whatever way. */
  answered(member: Member): void {
    member.inFlight -= 1;
    if (member.inFlight === 0 && this.#draining.has(member)) this.#forget(member);
  }

  /** Resolves when all that are no longer listed have answered what they were asked. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#draining.size === 0) resolve();
      else this.#whenDrained.push(resolve);
    });
  }

  /** A call of it has failed: for the log, should it be left out. */
  failed({ breaker }: Member, error: unknown): void {
    this.#why.set(breaker, rootOf(error));
  }

  /** It was late: asks whether it lives, and leaves it out when it does not. What is slow, and says so, is not gone. */
  suspect(member: Member): void {
    if (this.#suspected.has(member) || !works(member)) return;
    this.#suspected.add(member);
    void this.#parts
      .ping(member.link)
      .catch(() => this.#members.includes(member) && member.breaker.trip())
      .finally(() => this.#suspected.delete(member));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#parts.discovery.stop();
    for (const cancel of this.#probes.values()) cancel();
    const members = [...this.#members, ...this.#draining];
    this.#members = [];
    this.#draining.clear();
    this.#tellDrained();
    await Promise.all(members.map((member) => this.#closeLink(member)));
  }

  #update(addresses: readonly string[]): void {
    if (this.#closed) return;
    const gone = this.#members.filter(({ address }) => !addresses.includes(address));
    const known = this.#members.map(({ address }) => address);
    const fresh = addresses.filter((address) => !known.includes(address)).map((address) => this.#join(address));
    this.#members = [...this.#members.filter((member) => !gone.includes(member)), ...fresh];
    for (const member of gone) this.#leave(member);
    if (fresh.some(works)) this.#parts.onReachable();
  }

  #join(address: string): Member {
    const { connect, breaker: policy, clock } = this.#parts;
    const failing = this.#failing.get(address);
    this.#failing.delete(address);
    const breaker: Breaker = failing ?? new Breaker(policy, clock, (state) => this.#changed(breaker, state));
    const member: Member = {
      address,
      link: connect(address, () => {
        member.leavingUntil = clock.now() + policy.openMs;
      }),
      breaker,
      inFlight: 0,
      leavingUntil: 0,
    };
    if (failing) this.#probeAfter(member, failing.retryAfterMs);
    return member;
  }

  #leave(member: Member): void {
    const { address, breaker } = member;
    if (!works(member)) remember(this.#failing, address, breaker);
    this.#probes.get(member)?.();
    this.#probes.delete(member);
    // It may still answer what it was asked.
    this.#draining.add(member);
    if (member.inFlight === 0) this.#forget(member);
  }

  #forget(member: Member): void {
    this.#draining.delete(member);
    void this.#closeLink(member);
    if (this.#draining.size === 0) this.#tellDrained();
  }

  #tellDrained(): void {
    for (const resolve of this.#whenDrained.splice(0)) resolve();
  }

  #changed(breaker: Breaker, state: BreakerState): void {
    const member = this.#members.find((each) => each.breaker === breaker);
    if (!member || state.kind === 'half-open') return;
    const { log, module, discovery, onReachable } = this.#parts;
    const { address } = member;
    const why = state.kind === 'open' && this.#why.get(breaker);
    log.warn(
      { module, address, ...(why && { why }) },
      state.kind === 'open' ? 'an instance fails and is left out' : 'an instance is back',
    );
    if (state.kind === 'closed') {
      onReachable();
      return;
    }
    this.#probeAfter(member, state.forMs);
    discovery.dead(address);
  }

  /** In place of the probe that was to come before. */
  #probeAfter(member: Member, delayMs: number): void {
    this.#probes.get(member)?.();
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#probes.delete(member);
      void this.#probe(member);
    });
    this.#probes.set(member, cancel);
  }

  /** Asks until the breaker has heard enough to close, or opens again. */
  async #probe(member: Member): Promise<void> {
    const { breaker, link } = member;
    for (let pass = breaker.admits(); pass !== 0; pass = breaker.state.kind === 'half-open' ? breaker.admits() : 0) {
      await this.#parts.ping(link).then(
        () => breaker.succeeded(pass),
        () => breaker.failed(pass, 'unreachable'),
      );
      if (!this.#members.includes(member)) return;
    }
    if (!works(member) && !this.#probes.has(member)) this.#probeAfter(member, Math.max(soonMs, breaker.retryAfterMs));
  }

  async #closeLink({ link, address }: Member): Promise<void> {
    const { log, module } = this.#parts;
    await link.close().catch((error) => log.warn({ module, address, error }, 'a connection could not be closed'));
  }
}

/** What is at the bottom of it: the system's or the library's own words. */
function rootOf(error: unknown): string {
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  return messageOf(root);
}

function works(member: Member | undefined): boolean {
  return member?.breaker.state.kind === 'closed';
}

function remember<T>(kept: Map<string, T>, key: string, value: T): void {
  kept.set(key, value);
  if (kept.size > mostFailing) kept.delete(kept.keys().next().value!);
}
