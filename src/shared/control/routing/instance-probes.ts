import type { Link } from '../../kernel/calls/index.ts';
import { background, type Cancel, type Clock } from '../../kernel/context/index.ts';
import { type UpstreamInstance, works } from './upstream-instance.ts';

export interface InstanceProbesDependencies {
  /** Rejects when the instance does not answer. */
  readonly ping: (link: Link) => Promise<unknown>;
  readonly clock: Clock;
  /** Whether the instance may still receive calls. The probes of any other instance have no effect. */
  readonly isListed: (instance: UpstreamInstance) => boolean;
}

/** Minimum delay before the next probe. A timer may fire slightly early, before the breaker admits a probe. */
const soonMs = 10;

/** Pings an instance that gets no calls until it answers, and an instance whose answer to a call was late. */
export class InstanceProbes {
  /** The next probe of each instance that is left out. */
  readonly #next = new Map<UpstreamInstance, Cancel>();
  /** Instances that are pinged at the moment because an answer was late. */
  readonly #suspected = new Set<UpstreamInstance>();
  private readonly parts: InstanceProbesDependencies;

  constructor(parts: InstanceProbesDependencies) {
    this.parts = parts;
  }

  /** Schedules the next probe of an instance, in place of an earlier schedule. */
  probeAfter(instance: UpstreamInstance, delayMs: number): void {
    this.cancel(instance);
    const cancel = this.parts.clock.after(delayMs, () => {
      this.#next.delete(instance);
      void this.#probe(instance);
    });
    this.#next.set(instance, cancel);
  }

  /** Probes an instance that is left out at once, before its next scheduled probe. Rejects when it is still left out. */
  async probeNow(instance: UpstreamInstance): Promise<void> {
    this.cancel(instance);
    instance.breaker.expire();
    await this.#probe(instance);
    if (!works(instance)) throw new Error('left out');
  }

  /** Pings an instance whose answer was late, and leaves it out when the ping fails. A slow instance that answers stays. */
  suspect(instance: UpstreamInstance): void {
    if (this.#suspected.has(instance) || !works(instance)) return;
    this.#suspected.add(instance);
    void background.run(() => this.#ask(instance)).finally(() => this.#suspected.delete(instance));
  }

  /** Cancels the next probe of an instance. */
  cancel(instance: UpstreamInstance): void {
    this.#next.get(instance)?.();
    this.#next.delete(instance);
  }

  stop(): void {
    for (const instance of this.#next.keys()) this.cancel(instance);
  }

  async #ask(instance: UpstreamInstance): Promise<void> {
    const { ping, isListed } = this.parts;
    try {
      await ping(instance.link);
    } catch {
      if (isListed(instance)) instance.breaker.trip();
    }
  }

  /** Pings the instance until its breaker closes or opens again. */
  async #probe(instance: UpstreamInstance): Promise<void> {
    const { ping, isListed } = this.parts;
    const { breaker, link } = instance;
    for (let pass = breaker.admits(); pass !== 0; pass = breaker.state.kind === 'half-open' ? breaker.admits() : 0) {
      await ping(link).then(
        () => breaker.succeeded(pass),
        () => breaker.failed(pass, 'unreachable'),
      );
      if (!isListed(instance)) return;
    }
    if (!works(instance) && !this.#next.has(instance))
      this.probeAfter(instance, Math.max(soonMs, breaker.retryAfterMs));
  }
}
