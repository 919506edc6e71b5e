import type { Link } from '../../kernel/calls/index.ts';
import type { Clock } from '../../kernel/context/index.ts';
import { messageOf } from '../../kernel/errors/index.ts';
import type { Discovery } from '../../kernel/ports/index.ts';
import type { KernelListener, Log } from '../../kernel/telemetry/index.ts';
import { InstanceProbes } from './instance-probes.ts';
import { Breaker, type BreakerPolicy, type BreakerState } from './resilience/breaker.ts';
import { type UpstreamInstance, works } from './upstream-instance.ts';

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
  readonly listener?: KernelListener | undefined;
  /** Called when an instance appears or works again. */
  readonly onReachable: () => void;
}

/** Maximum number of remembered addresses that failed when they were last listed. The balancer forgets the oldest first. */
const maxFailing = 1_000;

/**
 * Chooses an instance of a module: the less busy of two random instances. It leaves out a failing instance until the instance
 * answers probes, so that no call is lost on a test.
 */
export class Balancer {
  #instances: readonly UpstreamInstance[] = [];
  /** Instances that are no longer listed and still have calls in flight. */
  readonly #draining = new Set<UpstreamInstance>();
  /** Breakers of addresses that failed when they were last listed. Such an address must answer a probe when it is listed again. */
  readonly #failing = new Map<string, Breaker>();
  #whenDrained: (() => void)[] = [];
  /** The last error of a call to each instance. */
  readonly #why = new WeakMap<Breaker, unknown>();
  readonly #probes: InstanceProbes;
  readonly #parts: BalancerDependencies;
  #closed = false;

  constructor(parts: BalancerDependencies) {
    const { ping, clock } = parts;
    this.#parts = parts;
    this.#probes = new InstanceProbes({ ping, clock, isListed: (instance) => this.#instances.includes(instance) });
    parts.discovery.watch((addresses) => this.#update(addresses));
  }

  get instances(): readonly UpstreamInstance[] {
    return this.#instances;
  }

  /** Whether any instance works. */
  get canPick(): boolean {
    return this.#instances.some(works);
  }

  /** Returns a working instance, if any. Prefers an instance that is not in `tried`, and then one that is not about to stop. */
  pick(tried?: ReadonlySet<object>): UpstreamInstance | undefined {
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
    // Both are indexes of `choice`.
    const [one, other] = [choice[first]!, choice[second]!];
    return other.inFlight < one.inFlight ? other : one;
  }

  /** Records the end of a call to the instance, successful or not. */
  answered(instance: UpstreamInstance): void {
    instance.inFlight -= 1;
    if (instance.inFlight === 0 && this.#draining.has(instance)) this.#forget(instance);
  }

  /** Resolves when all instances that are no longer listed have answered their calls. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#draining.size === 0) resolve();
      else this.#whenDrained.push(resolve);
    });
  }

  /** Records the error of a failed call. The log shows it if the instance is then left out. */
  failed({ breaker }: UpstreamInstance, error: unknown): void {
    this.#why.set(breaker, error);
  }

  /** The last error of a call to an instance. It may explain why there is no instance to pick. */
  get lastFailure(): unknown {
    for (const { breaker } of this.#instances) if (this.#why.has(breaker)) return this.#why.get(breaker);
    return undefined;
  }

  /** Pings an instance whose answer was late, and leaves it out when the ping fails. A slow instance that answers stays. */
  suspect(instance: UpstreamInstance): void {
    this.#probes.suspect(instance);
  }

  /** Resolves with whether calls reach any instance now. Probes left-out instances at once, before their next scheduled probe. */
  async reachable(): Promise<boolean> {
    const asked = this.#instances.map((instance) =>
      works(instance) ? this.#parts.ping(instance.link) : this.#probes.probeNow(instance),
    );
    return Promise.any(asked).then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#parts.discovery.stop();
    this.#probes.stop();
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
    if (failing) this.#probes.probeAfter(instance, failing.retryAfterMs);
    return instance;
  }

  #leave(instance: UpstreamInstance): void {
    const { address, breaker } = instance;
    if (!works(instance)) remember(this.#failing, address, breaker);
    this.#probes.cancel(instance);
    // It may still answer its calls in flight.
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
    const { log, module, discovery, listener, onReachable } = this.#parts;
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
    listener?.ejected(module);
    this.#probes.probeAfter(instance, state.forMs);
    discovery.dead(address);
  }

  async #closeLink({ link, address }: UpstreamInstance): Promise<void> {
    const { log, module } = this.#parts;
    await link.close().catch((error) => log.warn({ module, address, error }, 'a connection could not be closed'));
  }
}

/** Returns the message of the root cause, as the system or the library wrote it. */
function rootOf(error: unknown): string {
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  return messageOf(root);
}

function remember<T>(kept: Map<string, T>, key: string, value: T): void {
  kept.set(key, value);
  if (kept.size <= maxFailing) return;
  const [oldest = key] = kept.keys();
  kept.delete(oldest);
}
