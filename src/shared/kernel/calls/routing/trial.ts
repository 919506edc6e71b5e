import { isDeepStrictEqual } from 'node:util';
import { background, type CallContext, Cancellation, type Clock } from '../../context/index.ts';
import { defaultTimeoutMs, type Operation } from '../../contract/index.ts';
import { isRefusal } from '../../errors/index.ts';
import { kernelOperation } from '../kernel-operations.ts';
import { mayRetry } from '../resilience/retrying.ts';
import type { CallRequest, Transport } from '../transport.ts';
import { isFailure, Tally } from './tally.ts';
import { type Upstream, withKey } from './upstream.ts';

/** Queries whose answers were compared, and those of them that differed when both were asked again. */
export interface Compared {
  same: number;
  /** The first of them: which operation, and where in its answer. */
  readonly differences: { readonly operation: string; readonly at: string }[];
  different: number;
}

const mostDifferences = 20;

/**
 * Tries out other replicas of a module while those before go on to serve: a share of the calls goes to them, or each query is
 * also asked of them and its answer compared. Whose calls they get is decided by what they are about, so that what belongs
 * together meets the same replicas.
 */
export class Trial implements Transport {
  /** Which part of the calls goes to the other replicas, 0 to 1. */
  share = 0;
  /** How many of them at a time. */
  atOnce = Number.POSITIVE_INFINITY;
  /** Whether queries are also asked of the other replicas. Their answers go to nobody. */
  mirrors = false;
  before = new Tally();
  other = new Tally();
  readonly compared: Compared = { same: 0, different: 0, differences: [] };
  #inFlight = 0;
  /** Where calls went before. */
  readonly way: Transport;
  readonly upstream: Upstream;
  private readonly clock: Clock;

  constructor(way: Transport, upstream: Upstream, clock: Clock) {
    this.way = way;
    this.upstream = upstream;
    this.clock = clock;
  }

  /** `way` is where the call goes unless it goes to the other replicas: where calls went before, when it is not said. */
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

  /** What the other replicas could not be asked is asked of those before: nobody is to notice a trial. */
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

  /** Both are counted afresh. */
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

  /** What differs may have been changed between the two: asked again at the same time, it must differ once more. */
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
    if (differences.length < mostDifferences) differences.push({ operation: `${module}.${name}`, at });
  }

  /** Nobody waits for it, so that it has a time of its own. */
  #afresh({ context, ...rest }: CallRequest): CallRequest {
    const deadline = this.clock.now() + (rest.operation.timeoutMs ?? defaultTimeoutMs);
    return { ...rest, context: { ...context, deadline, cancellation: new Cancellation(undefined) } };
  }
}

/** Of what the kernel asks, only the public requests that it passes on, and that could be repeated. */
function isTriedOut(operation: string, { idempotencyKey }: CallContext): boolean {
  const kernel = kernelOperation(operation);
  return kernel === undefined || kernel === 'read' || (kernel === 'write' && idempotencyKey !== undefined);
}

const id = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}|\b[\dA-Z]{26}\b/;

/** What a call is about: the saga whose step it is, which the key of the step names; otherwise whoever asks. */
function belongsTo({ idempotencyKey, member, requestId }: CallContext): string {
  return member ?? (idempotencyKey && (id.exec(idempotencyKey)?.[0] ?? idempotencyKey)) ?? requestId;
}

/** The same number for the same text, from 0 to below 1, evenly (FNV-1a with a last mixing). */
function partOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  hash = Math.imul(hash ^ (hash >>> 13), 0x45d9f3b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** The path to the first place where two values differ, such as `items.0.amount`; not what stands there. */
function whereDiffers(one: unknown, other: unknown, path: readonly string[] = []): string | undefined {
  if (isDeepStrictEqual(one, other)) return undefined;
  if (!isObject(one) || !isObject(other)) return path.join('.') || 'the whole answer';
  const key = [...Object.keys(one), ...Object.keys(other)].find((each) => !isDeepStrictEqual(one[each], other[each]));
  return key === undefined ? path.join('.') || 'the whole answer' : whereDiffers(one[key], other[key], [...path, key]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
