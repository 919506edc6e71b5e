import { randomUUID } from 'node:crypto';
import type { Cancellation, Clock } from '../../context/index.ts';
import type { Operation } from '../../contract/index.ts';
import { isBetweenProcesses, isRefusal, messageOf, refusal } from '../../errors/index.ts';
import { type Log, OncePerMinute } from '../../telemetry/index.ts';
import type { Discovery } from '../discovery/discovery.ts';
import { kernelOperation, ofKernel } from '../kernel-operations.ts';
import { backOffMs } from '../resilience/back-off.ts';
import type { CallFailure } from '../resilience/breaker.ts';
import { Bulkhead } from '../resilience/bulkhead.ts';
import { isDeliveryUnknown, isNotSent, markNotSent } from '../resilience/delivery-status.ts';
import { type PoliciesConfig, policiesFor } from '../resilience/policies.ts';
import { RetryBudget } from '../resilience/retry-budget.ts';
import { mayRetry } from '../resilience/retrying.ts';
import type { CallRequest, Link, Transport } from '../transport.ts';
import { Balancer, type UpstreamInstance } from './balancer.ts';

export interface UpstreamDependencies {
  /** Opens a way to a module at an address. */
  readonly connect: (module: string, address: string, onLeaving: () => void) => Link;
  readonly policies: PoliciesConfig;
  /** Wraps each way to a module, for faults that calls are to meet on it. */
  readonly withFaults: (way: Transport) => Transport;
  readonly clock: Clock;
  /** Measures how long an instance is left out and how fast the budget of retries fills; `clock`, unless it is given. */
  readonly steady?: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** Who works answers sooner, unless the machine has much to do. */
const pingWithinMs = 500;

/**
 * Where calls leave the process for a module: to which of its instances they go, how many at a time, and what happens when one
 * fails. Nothing of this is on the way of a call within the process.
 */
export class Upstream implements Transport {
  readonly #bulkheads = new Map<string, Bulkhead>();
  /** By operation. */
  readonly #attemptsAllowed = new Map<string, number>();
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
    const { connect, policies, withFaults, clock, steady = clock, random, log } = parts;
    this.#refusedLimit = new OncePerMinute(clock);
    this.#budget = new RetryBudget(steady);
    this.#balancer = new Balancer({
      ...{ module, discovery, clock: steady, random, log, onReachable },
      connect: (address, onLeaving) => wrapped(connect(module, address, onLeaving), withFaults),
      ping: (link) => this.#ping(link),
      breaker: policiesFor(policies, module).breaker,
    });
  }

  get instances(): readonly UpstreamInstance[] {
    return this.#balancer.instances;
  }

  call(request: CallRequest): Promise<unknown> {
    const { operation, context } = request;
    const answer = this.#bulkheadOf(context.caller).run(() => this.#attempts(withKey(request)), {
      deadline: context.deadline,
      cancellation: context.cancellation,
      what: operation,
    });
    this.#inFlight += 1;
    answer.then(this.#ended, this.#ended);
    return answer;
  }

  /** Whether calls reach any instance now: it answers, and is not left out. */
  reachable(): Promise<boolean> {
    return this.#balancer.reachable();
  }

  /** Whether any instance answers now, also one that is left out. */
  async answers(withinMs?: number): Promise<boolean> {
    const asked = this.instances.map(({ link }) => this.#ping(link, withinMs));
    return Promise.any(asked).then(
      () => true,
      () => false,
    );
  }

  /** Resolves when those that are no longer listed have answered what they were asked. */
  drained(): Promise<void> {
    return this.#balancer.drained();
  }

  async close(): Promise<void> {
    await this.#balancer.close();
  }

  /** Nothing more will be called by it. Closes when the calls in flight are answered. */
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

  async #attempts(request: CallRequest): Promise<unknown> {
    // What leaves the process rests on nothing that a power cut can take back.
    if (request.context.onDisk) await request.context.onDisk();
    const attempts = this.#attemptsOf(request.operation);
    let tried: Set<UpstreamInstance> | undefined;
    let failed: unknown;
    for (let attempt = 1; ; attempt++) {
      const instance = this.#balancer.pick(tried);
      if (!instance) throw failed ?? this.#noInstance();
      if (attempt === 1) this.#budget.called();
      try {
        return await this.#through(instance, request);
      } catch (error) {
        if (attempt >= attempts) throw error;
        failed = error;
      }
      tried ??= new Set();
      tried.add(instance);
      await this.#beforeAnother(request, attempt, failed, tried);
    }
  }

  /** Waits as long as the next attempt has to. Throws why there shall be none. */
  async #beforeAnother(
    { operation, context }: CallRequest,
    attempt: number,
    failed: unknown,
    tried: Set<UpstreamInstance>,
  ) {
    const { cancellation, deadline, idempotencyKey } = context;
    const { clock, random } = this.parts;
    if (!mayRetry(operation.kind, idempotencyKey !== undefined, failed)) throw failed;
    const next = this.#balancer.pick(tried);
    const another = next !== undefined && !tried.has(next) && isNotSent(failed);
    const delayMs = another ? 0 : backOffMs(attempt, random);
    const gone = () => refusal('cancelled', `who asked for ${operation.module}.${operation.name} has gone`);
    if (cancellation?.cancelled) throw gone();
    if (clock.now() + delayMs >= deadline || !this.#budget.admitsRetry()) throw failed;
    if (delayMs > 0) await pause(delayMs, clock, cancellation);
    if (cancellation?.cancelled) throw gone();
  }

  async #through(instance: UpstreamInstance, request: CallRequest): Promise<unknown> {
    const { breaker, link } = instance;
    const pass = breaker.admits();
    instance.inFlight += 1;
    try {
      const answer = await link.call(request);
      breaker.succeeded(pass);
      return answer;
    } catch (error) {
      const failure = failureOf(error);
      this.#noteRefused(instance, error as Error);
      if (failure) this.#balancer.failed(instance, error);
      if (failure) breaker.failed(pass, failure);
      if (failure === 'faulty') this.#balancer.suspect(instance);
      if (!failure && isRefusal(error, 'cancelled')) breaker.released(pass);
      else if (!failure) breaker.succeeded(pass);
      throw error;
    } finally {
      this.#balancer.answered(instance);
    }
  }

  /** Says at most once a minute why an instance does not accept calls of this process: no caller is told. */
  #noteRefused({ address }: UpstreamInstance, { cause }: { cause?: unknown }): void {
    if (!isBetweenProcesses(cause) || !this.#refusedLimit.passes()) return;
    const about = { module: this.module, address, code: cause.code, why: messageOf(cause) };
    this.parts.log.error(about, 'an instance does not accept calls of this process');
  }

  #noInstance(): Error {
    const { lastFailure } = this.#balancer;
    const cause = isRefusal(lastFailure) ? lastFailure.cause : lastFailure;
    return markNotSent(refusal('unavailable', `${this.module} cannot be reached`, {}, { cause }));
  }

  #attemptsOf(operation: Operation): number {
    let attempts = this.#attemptsAllowed.get(operation.name);
    if (attempts === undefined) {
      ({ attempts } = policiesFor(this.parts.policies, this.module, operation));
      this.#attemptsAllowed.set(operation.name, attempts);
    }
    return attempts;
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

/** Rejects when the module is not served there, or does not answer in time: half a second, unless told otherwise. */
export function ping(module: string, link: Link, clock: Clock, withinMs = pingWithinMs): Promise<unknown> {
  const context = { requestId: randomUUID(), caller: 'kernel', deadline: clock.now() + withinMs };
  return link.call({ operation: ofKernel('ping', module), input: {}, context });
}

/** A command that crosses a network has a key, so that it can be repeated: its own, or one for this call. */
export function withKey(request: CallRequest): CallRequest {
  const { operation, context } = request;
  if (operation.kind === 'query' || context.idempotencyKey || kernelOperation(operation.name)) return request;
  return { ...request, context: { ...context, idempotencyKey: randomUUID() } };
}

/**
 * What a failed call says about the instance. One that has answered works, whatever the answer: what fails inside it would fail
 * in-process as well. An `unavailable` of the way itself has a cause; one that was the answer, as of a module whose own callee
 * is away, came without. One that does not accept this process is of no use to it; one that refuses a single caller is.
 */
function failureOf(error: unknown): CallFailure | undefined {
  if (isRefusal(error) && isBetweenProcesses(error.cause) && error.cause.code === 'forbidden') return undefined;
  if (isRefusal(error, 'unavailable')) return error.cause === undefined ? undefined : 'unreachable';
  return isDeliveryUnknown(error) ? 'faulty' : undefined;
}

/** Over at once when nobody waits any more for what comes after it. */
function pause(delayMs: number, clock: Clock, cancellation: Cancellation | undefined): Promise<void> {
  return new Promise((resolve) => {
    const listenNoMore = cancellation?.onCancel(() => {
      wakeNoMore();
      resolve();
    });
    const wakeNoMore = clock.after(delayMs, () => {
      listenNoMore?.();
      resolve();
    });
  });
}

function wrapped(link: Link, withFaults: UpstreamDependencies['withFaults']): Link {
  const faulty = withFaults(link);
  return { call: (request) => faulty.call(request), close: () => link.close() };
}
