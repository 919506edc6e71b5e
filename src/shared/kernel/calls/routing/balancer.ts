import { background, type Cancel, type Clock } from '../../context/index.ts';
import { messageOf } from '../../errors/index.ts';
import type { Log } from '../../telemetry/index.ts';
import type { Discovery } from '../discovery/discovery.ts';
import { Breaker, type BreakerPolicy, type BreakerState } from '../resilience/breaker.ts';
import type { Link } from '../transport.ts';

/** One instance of a module elsewhere, as this process sees it. */
export interface UpstreamInstance {
  readonly address: string;
  readonly link: Link;
  readonly breaker: Breaker;
  /** Calls of this process that it has not answered yet. */
  inFlight: number;
  /** It said that it is about to stop; in the clock's milliseconds, since whoever takes its place may have its address. */
  leavingUntil: number;
}

export interface BalancerDependencies {
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
  #instances: readonly UpstreamInstance[] = [];
  /** No longer listed, and not done with what they were asked. */
  readonly #draining = new Set<UpstreamInstance>();
  /** Of addresses that failed when they were last listed: if they come back, it is by a probe. */
  readonly #failing = new Map<string, Breaker>();
  /** The next probe of each instance that is left out. */
  readonly #probes = new Map<UpstreamInstance, Cancel>();
  #whenDrained: (() => void)[] = [];
  /** Asked at the moment whether they live. */
  readonly #suspected = new Set<UpstreamInstance>();
  /** How a call of each failed last. */
  readonly #why = new WeakMap<Breaker, unknown>();
  readonly #parts: BalancerDependencies;
  #closed = false;

  constructor(parts: BalancerDependencies) {
    this.#parts = parts;
    parts.discovery.watch((addresses) => this.#update(addresses));
  }

  get instances(): readonly UpstreamInstance[] {
    return this.#instances;
  }

  /** One that works, if there is one; rather one that was not `tried`, and then one that is not about to stop. */
  pick(tried?: ReadonlySet<UpstreamInstance>): UpstreamInstance | undefined {
    let choice =
      this.#instances.length > 1 || !works(this.#instances[0]) ? this.#instances.filter(works) : this.#instances;
    if (choice.length <= 1) return choice[0];
    const now = this.#parts.clock.now();
    for (const better of [
      (each: UpstreamInstance) => !tried?.has(each),
      (each: UpstreamInstance) => each.leavingUntil <= now,
    ]) {
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
  answered(instance: UpstreamInstance): void {
    instance.inFlight -= 1;
    if (instance.inFlight === 0 && this.#draining.has(instance)) this.#forget(instance);
  }

  /** Resolves when all that are no longer listed have answered what they were asked. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#draining.size === 0) resolve();
      else this.#whenDrained.push(resolve);
    });
  }

  /** A call of it has failed: for the log, should it be left out. */
  failed({ breaker }: UpstreamInstance, error: unknown): void {
    this.#why.set(breaker, error);
  }

  /** How a call of an instance failed last: why there is none to pick, perhaps. */
  get lastFailure(): unknown {
    for (const { breaker } of this.#instances) if (this.#why.has(breaker)) return this.#why.get(breaker);
    return undefined;
  }

  /** It was late: asks whether it lives, and leaves it out when it does not. What is slow, and says so, is not gone. */
  suspect(instance: UpstreamInstance): void {
    if (this.#suspected.has(instance) || !works(instance)) return;
    this.#suspected.add(instance);
    void background.run(() => this.#ask(instance)).finally(() => this.#suspected.delete(instance));
  }

  async #ask(instance: UpstreamInstance): Promise<void> {
    try {
      await this.#parts.ping(instance.link);
    } catch {
      if (this.#instances.includes(instance)) instance.breaker.trip();
    }
  }

  /** Whether calls reach any instance now. Those that are left out are probed at once, whatever their time. */
  async reachable(): Promise<boolean> {
    const asked = this.#instances.map(async (instance) => {
      if (works(instance)) return this.#parts.ping(instance.link);
      this.#probes.get(instance)?.();
      this.#probes.delete(instance);
      instance.breaker.expire();
      await this.#probe(instance);
      if (!works(instance)) throw new Error('left out');
    });
    return Promise.any(asked).then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#parts.discovery.stop();
    for (const cancel of this.#probes.values()) cancel();
    const instances = [...this.#instances, ...this.#draining];
    this.#instances = [];
    this.#draining.clear();
    this.#tellDrained();
    await Promise.all(instances.map((instance) => this.#closeLink(instance)));
  }

  #update(addresses: readonly string[]): void {
    if (this.#closed) return;
    const gone = this.#instances.filter(({ address }) => !addresses.includes(address));
    const known = this.#instances.map(({ address }) => address);
    const fresh = addresses.filter((address) => !known.includes(address)).map((address) => this.#join(address));
    this.#instances = [...this.#instances.filter((instance) => !gone.includes(instance)), ...fresh];
    for (const instance of gone) this.#leave(instance);
    if (fresh.some(works)) this.#parts.onReachable();
  }

  #join(address: string): UpstreamInstance {
    const { connect, breaker: policy, clock } = this.#parts;
    const failing = this.#failing.get(address);
    this.#failing.delete(address);
    const breaker: Breaker = failing ?? new Breaker(policy, clock, (state) => this.#changed(breaker, state));
    const instance: UpstreamInstance = {
      address,
      link: connect(address, () => {
        instance.leavingUntil = clock.now() + policy.openMs;
      }),
      breaker,
      inFlight: 0,
      leavingUntil: 0,
    };
    if (failing) this.#probeAfter(instance, failing.retryAfterMs);
    return instance;
  }

  #leave(instance: UpstreamInstance): void {
    const { address, breaker } = instance;
    if (!works(instance)) remember(this.#failing, address, breaker);
    this.#probes.get(instance)?.();
    this.#probes.delete(instance);
    // It may still answer what it was asked.
    this.#draining.add(instance);
    if (instance.inFlight === 0) this.#forget(instance);
  }

  #forget(instance: UpstreamInstance): void {
    this.#draining.delete(instance);
    void this.#closeLink(instance);
    if (this.#draining.size === 0) this.#tellDrained();
  }

  #tellDrained(): void {
    for (const resolve of this.#whenDrained.splice(0)) resolve();
  }

  #changed(breaker: Breaker, state: BreakerState): void {
    const instance = this.#instances.find((each) => each.breaker === breaker);
    if (!instance || state.kind === 'half-open') return;
    const { log, module, discovery, onReachable } = this.#parts;
    const { address } = instance;
    const failure = state.kind === 'open' ? this.#why.get(breaker) : undefined;
    const why = failure === undefined ? undefined : rootOf(failure);
    log.warn(
      { module, address, ...(why && { why }) },
      state.kind === 'open' ? 'an instance fails and is left out' : 'an instance is back',
    );
    if (state.kind === 'closed') {
      onReachable();
      return;
    }
    this.#probeAfter(instance, state.forMs);
    discovery.dead(address);
  }

  /** In place of the probe that was to come before. */
  #probeAfter(instance: UpstreamInstance, delayMs: number): void {
    this.#probes.get(instance)?.();
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#probes.delete(instance);
      void this.#probe(instance);
    });
    this.#probes.set(instance, cancel);
  }

  /** Asks until the breaker has heard enough to close, or opens again. */
  async #probe(instance: UpstreamInstance): Promise<void> {
    const { breaker, link } = instance;
    for (let pass = breaker.admits(); pass !== 0; pass = breaker.state.kind === 'half-open' ? breaker.admits() : 0) {
      await this.#parts.ping(link).then(
        () => breaker.succeeded(pass),
        () => breaker.failed(pass, 'unreachable'),
      );
      if (!this.#instances.includes(instance)) return;
    }
    if (!works(instance) && !this.#probes.has(instance))
      this.#probeAfter(instance, Math.max(soonMs, breaker.retryAfterMs));
  }

  async #closeLink({ link, address }: UpstreamInstance): Promise<void> {
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

function works(instance: UpstreamInstance | undefined): boolean {
  return instance?.breaker.state.kind === 'closed';
}

function remember<T>(kept: Map<string, T>, key: string, value: T): void {
  kept.set(key, value);
  if (kept.size > mostFailing) kept.delete(kept.keys().next().value!);
}
