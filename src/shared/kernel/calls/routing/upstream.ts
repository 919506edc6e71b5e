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
  /** Opens a link to a module at an address. */
  readonly connect: (module: string, address: string, onLeaving: () => void) => Link;
  readonly policies: PoliciesConfig;
  /** Wraps each transport to a module, to inject faults into its calls. */
  readonly withFaults: (way: Transport) => Transport;
  readonly clock: Clock;
  /** Measures how long an instance is left out and how fast the retry budget fills. Defaults to `clock`. */
  readonly steady?: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** A working instance answers sooner, unless its machine is busy. */
const pingWithinMs = 500;

/**
 * Sends calls to a remote module. It chooses the instance, limits the calls in flight, and handles failures and retries. Calls
 * within the process do not pass through it.
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

  async #attempts(request: CallRequest): Promise<unknown> {
    // A call that leaves the process must not depend on data that a power cut can undo.
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

  /** Waits for the back-off before the next attempt. Throws the call's error when there must be no other attempt. */
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
    const gone = () => refusal('cancelled', `the caller of ${operation.module}.${operation.name} has gone`);
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

  /** Logs at most once a minute why an instance does not accept calls of this process. Callers do not receive the reason. */
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

/** Pings a module over a link. Rejects when the process does not serve the module or does not answer in time. */
export function ping(module: string, link: Link, clock: Clock, withinMs = pingWithinMs): Promise<unknown> {
  const context = { requestId: randomUUID(), caller: 'kernel', deadline: clock.now() + withinMs };
  return link.call({ operation: ofKernel('ping', module), input: {}, context });
}

/** Adds an idempotency key to a command that has none, so that a retry over the network is safe. */
export function withKey(request: CallRequest): CallRequest {
  const { operation, context } = request;
  if (operation.kind === 'query' || context.idempotencyKey || kernelOperation(operation.name)) return request;
  return { ...request, context: { ...context, idempotencyKey: randomUUID() } };
}

/**
 * Returns how the instance failed, or `undefined` when it works. An instance that answers works, even if the answer is an error:
 * the same error would occur in-process. An `unavailable` from this side's transport has a cause. An `unavailable` without a cause
 * is an answer, such as of a module whose own callee is away. An instance that does not accept this process counts as failed. An
 * instance that refuses a single caller works.
 */
function failureOf(error: unknown): CallFailure | undefined {
  if (isRefusal(error) && isBetweenProcesses(error.cause) && error.cause.code === 'forbidden') return undefined;
  if (isRefusal(error, 'unavailable')) return error.cause === undefined ? undefined : 'unreachable';
  return isDeliveryUnknown(error) ? 'faulty' : undefined;
}

/** Waits for `delayMs`. Resolves at once when the call is cancelled. */
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
