import { isDeepStrictEqual } from 'node:util';
import { background, type CallContext, Cancellation, type Clock } from '../../context/index.ts';
import { defaultTimeoutMs, type Operation } from '../../contract/index.ts';
import { isRefusal } from '../../errors/index.ts';
import { kernelOperation } from '../kernel-operations.ts';
import { mayRetry } from '../resilience/retrying.ts';
import { withKey } from '../steps/retry.ts';
import type { CallRequest, Transport } from '../transport.ts';
import { isFailure, Tally } from './tally.ts';
import type { Upstream } from './upstream.ts';

/** Counts the queries whose answers were compared, and the queries whose answers still differed when both were asked again. */
export interface Compared {
  same: number;
  /** The first differences: the operation, and the path in its answer. */
  readonly differences: { readonly operation: string; readonly at: string }[];
  different: number;
}

const maxDifferences = 20;

/**
 * Tries out other replicas (the candidate) of a module while the current release continues to serve. It sends the candidate a
 * share of the calls (canary), or a copy of each query to compare the answers (mirror). It divides calls by their subject, so that
 * related calls reach the same replicas.
 */
export class Trial implements Transport {
  /** Share of the calls that goes to the candidate, 0 to 1. */
  share = 0;
  /** Maximum number of these calls in flight. */
  atOnce = Number.POSITIVE_INFINITY;
  /** Whether the candidate also receives a copy of each query. No caller receives its answers. */
  mirrors = false;
  before = new Tally();
  other = new Tally();
  readonly compared: Compared = { same: 0, different: 0, differences: [] };
  #inFlight = 0;
  /** The route before the trial. */
  readonly way: Transport;
  readonly upstream: Upstream;
  private readonly clock: Clock;

  constructor(way: Transport, upstream: Upstream, clock: Clock) {
    this.way = way;
    this.upstream = upstream;
    this.clock = clock;
  }

  /** Sends the call to the candidate or by `way`, which defaults to the route before the trial. */
  call(request: CallRequest, way: Transport = this.way): Promise<unknown> {
    const { operation, context } = request;
    if (!isTriedOut(operation.name, context)) return way.call(request);
    const goes = this.#sends(context);
    const answer = goes ? this.#sent(withKey(request), way) : this.#counted(way, this.before, request);
    if (this.mirrors && operation.kind === 'query' && !goes && !kernelOperation(operation.name))
      answer.then(
        (value) => background.run(() => this.#mirror(request, way, value)),
        () => {},
      );
    return answer;
  }

  #sends(context: CallContext): boolean {
    if (this.share === 0 || this.#inFlight >= this.atOnce) return false;
    return partOf(belongsTo(context)) < this.share;
  }

  /** Calls the candidate. Falls back to `way` when a retry is safe, so that callers do not notice the trial. */
  #sent(request: CallRequest, way: Transport): Promise<unknown> {
    const { operation, context } = request;
    this.#inFlight += 1;
    return this.#counted(this.upstream, this.other, request)
      .finally(() => {
        this.#inFlight -= 1;
      })
      .catch((error: unknown) => {
        if (!mayRetry(operation.kind, context.idempotencyKey !== undefined, error)) throw error;
        return way.call(request);
      });
  }

  /** Resets the counts of both releases. */
  recount(): void {
    this.before = new Tally();
    this.other = new Tally();
  }

  #counted(way: Transport, tally: Tally, request: CallRequest): Promise<unknown> {
    const startedAt = performance.now();
    const answer = way.call(request);
    answer.then(
      () => tally.add(performance.now() - startedAt, false),
      (error: unknown) => tally.add(performance.now() - startedAt, isFailure(error)),
    );
    return answer;
  }

  /** Compares the candidate's answer. Data may have changed between the two queries, so it repeats both at the same time. */
  async #mirror(request: CallRequest, way: Transport, value: unknown): Promise<void> {
    try {
      const other = await this.#counted(this.upstream, this.other, this.#afresh(request));
      if (isDeepStrictEqual(value, other)) {
        this.compared.same += 1;
        return;
      }
      const again = await Promise.all([way.call(this.#afresh(request)), this.upstream.call(this.#afresh(request))]);
      const at = whereDiffers(...again);
      if (at === undefined) this.compared.same += 1;
      else this.#differs(request.operation, at);
    } catch (error) {
      if (!isRefusal(error, 'cancelled')) this.#differs(request.operation, 'it was refused');
    }
  }

  #differs({ module, name }: Operation, at: string): void {
    this.compared.different += 1;
    const { differences } = this.compared;
    if (differences.length < maxDifferences) differences.push({ operation: `${module}.${name}`, at });
  }

  /** Copies a request, with a new deadline and cancellation, since no caller waits for its answer. */
  #afresh({ context, ...rest }: CallRequest): CallRequest {
    const deadline = this.clock.now() + (rest.operation.timeoutMs ?? defaultTimeoutMs);
    return { ...rest, context: { ...context, deadline, cancellation: new Cancellation(undefined) } };
  }
}

/** Returns whether a trial includes the call. Of the kernel's operations, it includes public requests that can be repeated. */
function isTriedOut(operation: string, { idempotencyKey }: CallContext): boolean {
  const kernel = kernelOperation(operation);
  return kernel === undefined || kernel === 'read' || (kernel === 'write' && idempotencyKey !== undefined);
}

const id = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}|\b[\dA-Z]{26}\b/;

/** Returns the subject of a call: the member, else the saga named in the idempotency key, else the key, else the request. */
function belongsTo({ idempotencyKey, member, requestId }: CallContext): string {
  return member ?? (idempotencyKey && (id.exec(idempotencyKey)?.[0] ?? idempotencyKey)) ?? requestId;
}

/** Hashes a text to an evenly distributed number from 0 to below 1 (FNV-1a with a final mix). */
function partOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  hash = Math.imul(hash ^ (hash >>> 13), 0x45d9f3b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Returns the path of the first difference between two values, such as `items.0.amount`, without the values. */
function whereDiffers(one: unknown, other: unknown, path: readonly string[] = []): string | undefined {
  if (isDeepStrictEqual(one, other)) return undefined;
  if (!isObject(one) || !isObject(other)) return path.join('.') || 'the whole answer';
  const key = [...Object.keys(one), ...Object.keys(other)].find((each) => !isDeepStrictEqual(one[each], other[each]));
  return key === undefined ? path.join('.') || 'the whole answer' : whereDiffers(one[key], other[key], [...path, key]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
