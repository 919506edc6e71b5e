import { type CallRequest, kernelOperation, type Transport } from '../../kernel/calls/index.ts';
import { background, type CallContext } from '../../kernel/context/index.ts';
import { type Detour, mayRetry, type Upstream, withKey } from '../routing/index.ts';
import { CallStatistics } from './call-statistics.ts';
import type { Journal } from './journal.ts';

/**
 * Sends a share of a module's calls to other replicas (the candidate) while the current ones continue to serve. It divides calls by
 * their subject, so that related calls reach the same replicas.
 */
export class TrafficSplit implements Detour {
  /** Share of the calls that goes to the candidate, 0 to 1. */
  share = 0;
  /** Maximum number of these calls in flight. */
  atOnce = Number.POSITIVE_INFINITY;
  /** Called with each query that the current replicas have answered, and the answer. */
  onAnswer: ((request: CallRequest, route: Transport, answer: unknown) => void) | undefined;
  current = new CallStatistics();
  candidate = new CallStatistics();
  #inFlight = 0;
  /** The route of all other calls. */
  private readonly route: Transport;
  private readonly upstream: Upstream;

  constructor(route: Transport, upstream: Upstream) {
    this.route = route;
    this.upstream = upstream;
  }

  /** Sends the call to the candidate or by `route`, which defaults to the one of all other calls. */
  call(request: CallRequest, route: Transport = this.route): Promise<unknown> {
    const { operation, context } = request;
    if (!isIncluded(operation.name, context)) return route.call(request);
    const goesThere = this.#goesToCandidate(context);
    const answer = goesThere
      ? this.#callCandidateOrFallBack(withKey(request), route)
      : this.#counted(route, this.current, request);
    const { onAnswer } = this;
    if (onAnswer && operation.kind === 'query' && !goesThere && !kernelOperation(operation.name))
      answer.then(
        (value) => background.run(() => onAnswer(request, route, value)),
        () => {},
      );
    return answer;
  }

  #goesToCandidate(context: CallContext): boolean {
    if (this.share === 0 || this.#inFlight >= this.atOnce) return false;
    return shareOf(subjectOf(context)) < this.share;
  }

  /** Calls the candidate. Falls back to `route` when a retry is safe, so that callers do not notice the split. */
  #callCandidateOrFallBack(request: CallRequest, route: Transport): Promise<unknown> {
    const { operation, context } = request;
    this.#inFlight += 1;
    return this.#counted(this.upstream, this.candidate, request)
      .finally(() => {
        this.#inFlight -= 1;
      })
      .catch((error: unknown) => {
        if (!mayRetry(operation.kind, context.idempotencyKey !== undefined, error)) throw error;
        return route.call(request);
      });
  }

  /** Calls the candidate for a comparison: no caller receives the answer. Only a `counted` call enters the statistics. */
  callCandidate(request: CallRequest, counted: boolean): Promise<unknown> {
    return counted ? this.#counted(this.upstream, this.candidate, request) : this.upstream.call(request);
  }

  /** Resets the statistics of both sides. */
  recount(): void {
    this.current = new CallStatistics();
    this.candidate = new CallStatistics();
  }

  #counted(route: Transport, statistics: CallStatistics, request: CallRequest): Promise<unknown> {
    return statistics.observe(() => route.call(request));
  }
}

/** Returns whether the split includes the call. Of the kernel's operations, it includes public requests that can be repeated. */
function isIncluded(operation: string, { idempotencyKey }: CallContext): boolean {
  const kernel = kernelOperation(operation);
  return kernel === undefined || kernel === 'read' || (kernel === 'write' && idempotencyKey !== undefined);
}

const id = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}|\b[\dA-Z]{26}\b/;

/** Returns the subject of a call: the member, else the saga named in the idempotency key, else the key, else the request. */
function subjectOf({ idempotencyKey, member, requestId }: CallContext): string {
  return member ?? (idempotencyKey && (id.exec(idempotencyKey)?.[0] ?? idempotencyKey)) ?? requestId;
}

/** Hashes a text to an evenly distributed number from 0 to below 1 (FNV-1a with a final mix). */
function shareOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  hash = Math.imul(hash ^ (hash >>> 13), 0x45d9f3b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** The stages of a warm-up: the number of concurrent calls to a new process, and the number of calls in the stage. */
const warming = [
  { atOnce: 1, calls: 8 },
  { atOnce: 2, calls: 16 },
  { atOnce: 4, calls: 48 },
];
/** Maximum duration of a warm-up. */
export const warmUpWithinMs = 1_500;
const warmingQuietMs = 300;
const warmingPollMs = 10;

/**
 * Sends the first calls one at a time, then a few at once, since a new process answers its first calls slowly. The verdict ignores
 * these calls. Ends early when no calls come, and at its time limit when too few come.
 */
export async function warmUp(journal: Journal, split: TrafficSplit): Promise<void> {
  const endsAt = performance.now() + warmUpWithinMs;
  for (const { atOnce, calls } of warming) {
    split.atOnce = atOnce;
    const enough = split.candidate.counted + calls;
    for (let [seen, quietMs] = [0, 0]; split.candidate.counted < enough; quietMs += warmingPollMs) {
      if (split.candidate.counted > seen) [seen, quietMs] = [split.candidate.counted, 0];
      if (quietMs >= warmingQuietMs || performance.now() >= endsAt) return;
      await journal.pause(warmingPollMs);
    }
  }
}
