import { randomUUID } from 'node:crypto';
import type { CallRequest, Link, Next, RoadHooks, Transport } from '../../kernel/calls/index.ts';
import { type CallCounter, composeSteps, ofKernel, unreachableBecause } from '../../kernel/calls/index.ts';
import type { Clock } from '../../kernel/context/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import type { Discovery } from '../../kernel/ports/index.ts';
import { type Log, OncePerMinute } from '../../kernel/telemetry/index.ts';
import { Balancer } from './balancer.ts';
import { Bulkhead } from './resilience/bulkhead.ts';
import { type PoliciesConfig, policiesFor } from './resilience/policies.ts';
import { RetryBudget } from './resilience/retrying.ts';
import { outgoingRoad } from './road.ts';
import type { UpstreamInstance } from './upstream-instance.ts';

export interface UpstreamDependencies {
  /** Opens a link to a module at an address. */
  readonly connect: (module: string, address: string, onLeaving: () => void) => Link;
  readonly policies: PoliciesConfig;
  readonly hooks?: RoadHooks;
  readonly clock: Clock;
  /** Measures how long an instance is left out and how fast the retry budget fills. Defaults to `clock`. */
  readonly steady?: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** An instance that has been chosen for several calls. */
export interface Pinned extends Transport {
  /** Whether the instance is about to stop, or the module has moved. The calls still go there. */
  isLeaving(): boolean;
  /** Call it once, after the last call: a move of the module waits for it. */
  release(): void;
}

/** A working instance answers sooner, unless its machine is busy. */
const pingWithinMs = 500;

/**
 * Sends calls to a remote module. It chooses the instance, limits the calls in flight, and handles failures and retries. Calls
 * within the process do not pass through it.
 */
export class Upstream implements Transport {
  readonly #bulkheads = new Map<string, Bulkhead>();
  /** By caller and operation. */
  readonly #roads = new Map<string, Next>();
  readonly #budget: RetryBudget;
  readonly #balancer: Balancer;
  #inFlight = 0;
  readonly #refusedLimit: OncePerMinute;
  #whenIdle: (() => void) | undefined;
  readonly module: string;
  private readonly parts: UpstreamDependencies;

  constructor(module: string, discovery: Discovery, parts: UpstreamDependencies, onReachable: () => void) {
    this.module = module;
    this.parts = parts;
    const { connect, policies, hooks = {}, clock, steady = clock, random, log } = parts;
    this.#refusedLimit = new OncePerMinute(clock);
    this.#budget = new RetryBudget(steady);
    this.#balancer = new Balancer({
      ...{ module, discovery, clock: steady, random, log, onReachable },
      connect: (address, onLeaving) => overRoad(connect(module, address, onLeaving), hooks),
      ping: (link) => this.#ping(link),
      breaker: policiesFor(policies, module).breaker,
      listener: hooks.listener,
    });
  }

  get instances(): readonly UpstreamInstance[] {
    return this.#balancer.instances;
  }

  /** By caller: the limits of its calls to the module. */
  get bulkheads(): ReadonlyMap<string, Pick<Bulkhead, 'running' | 'waiting'>> {
    return this.#bulkheads;
  }

  call(request: CallRequest): Promise<unknown> {
    const answer = this.#roadOf(request)(request);
    this.#inFlight += 1;
    answer.then(this.#ended, this.#ended);
    countSent(this.parts.hooks?.counter, request, this.instances[0]?.address, answer);
    return answer;
  }

  /**
   * Chooses an instance for several calls that belong together; none is tried again. Throws `unavailable` when there is no instance, and
   * `no-streams` when calls cannot be sent to the same instance.
   */
  pin(): Pinned {
    const chosen = this.#balancer.pick();
    if (!chosen) throw unreachableBecause(this.module, this.#balancer.lastFailure, false);
    if (chosen.link.isShared)
      throw refusal('no-streams', `${this.module} is called over a queue; place it in-process, by http or by grpc`);
    chosen.inFlight += 1;
    this.#inFlight += 1;
    return {
      call: (request) => chosen.link.call(request),
      isLeaving: () =>
        this.#whenIdle !== undefined ||
        chosen.leavingUntil > this.parts.clock.now() ||
        !this.instances.includes(chosen),
      release: () => {
        this.#balancer.answered(chosen);
        this.#ended();
      },
    };
  }

  /** Resolves with whether calls reach any instance now: it answers, and is not left out. */
  reachable(): Promise<boolean> {
    return this.#balancer.reachable();
  }

  /** Resolves with whether any instance answers now, even a left-out one. */
  async answers(withinMs?: number): Promise<boolean> {
    const asked = this.instances.map(({ link }) => this.#ping(link, withinMs));
    return Promise.any(asked).then(
      () => true,
      () => false,
    );
  }

  /** Resolves when all instances that are no longer listed have answered their calls. */
  drained(): Promise<void> {
    return this.#balancer.drained();
  }

  async close(): Promise<void> {
    await this.#balancer.close();
  }

  /** Closes the upstream once its calls in flight are answered. Make no new calls after this. */
  retire(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = () => void this.close().then(resolve);
      if (this.#inFlight === 0) this.#whenIdle();
    });
  }

  readonly #ended = (): void => {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#whenIdle?.();
  };

  #roadOf({ operation, context: { caller } }: CallRequest): Next {
    const key = `${caller} ${operation.name}`;
    const known = this.#roads.get(key);
    if (known) return known;
    const { policies, clock, random, log, hooks } = this.parts;
    const { attempts } = policiesFor(policies, this.module, operation);
    const own = {
      module: this.module,
      balancer: this.#balancer,
      budget: this.#budget,
      refusedLimit: this.#refusedLimit,
      listener: hooks?.listener,
    };
    const dependencies = { ...own, bulkhead: this.#bulkheadOf(caller), attempts, clock, random, log };
    const composed = composeSteps(outgoingRoad.upstream, dependencies);
    this.#roads.set(key, composed);
    return composed;
  }

  #ping(link: Link, withinMs?: number): Promise<unknown> {
    return ping(this.module, link, this.parts.clock, withinMs);
  }

  #bulkheadOf(caller: string): Bulkhead {
    let bulkhead = this.#bulkheads.get(caller);
    if (!bulkhead) {
      bulkhead = new Bulkhead(policiesFor(this.parts.policies, this.module), this.parts.clock);
      this.#bulkheads.set(caller, bulkhead);
    }
    return bulkhead;
  }
}

/** Pings a module over a link. Rejects when the process does not serve the module or does not answer in time. */
export function ping(module: string, link: Link, clock: Clock, withinMs = pingWithinMs): Promise<unknown> {
  const context = { requestId: randomUUID(), caller: 'kernel', deadline: clock.now() + withinMs };
  return link.call({ operation: ofKernel('ping', module), input: {}, context });
}

/** Puts the last steps of the road in front of a link. */
function overRoad(link: Link, hooks: RoadHooks): Link {
  const call = composeSteps(outgoingRoad.link, hooks, (request: CallRequest) => link.call(request));
  return { call, close: () => link.close(), isShared: link.isShared ?? false };
}

/** Counts a call that leaves this process. A call of another process, which this one passes on, is counted there. */
export function countSent(
  counter: CallCounter | undefined,
  request: CallRequest,
  address: string | undefined,
  answer: Promise<unknown>,
): void {
  if (counter && request.toCaller) counter.sent(request, address, answer);
}
