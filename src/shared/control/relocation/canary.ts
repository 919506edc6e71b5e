import { z } from 'zod';
import type { Tally } from '../../kernel/calls/index.ts';
import { surenessOfExcess } from './evidence.ts';
import { patience } from './mirror.ts';

/** How new replicas are tried out with a growing share of the calls before they get them all. */
export const canarySchema = z.strictObject({
  /** The first share, 0 to 1. */
  share: z.number().gt(0).max(1).default(0.05),
  /** How long a share lasts at least. */
  stageMs: z.int().min(100).max(3_600_000).default(10_000),
  /** The calls that the new replicas must have had at each share to be judged. */
  leastCalls: z.int().min(1).max(100_000).default(100),
  /** How long a share lasts at most, while calls are too few or the verdict is open; six times `stageMs` when absent. */
  maxWaitMs: z.int().min(100).max(86_400_000).optional(),
  /** How many more of their calls may fail than of the calls before, as a part of all: 0.01 is one in a hundred. */
  maxFailures: z.number().min(0).max(1).default(0.01),
  /** By how much their calls may be slower than the 95th percentile before, in milliseconds; `defaultAllowedMs` when absent. */
  maxSlowerMs: z.number().min(0).max(60_000).optional(),
});
export type Canary = z.output<typeof canarySchema>;

const shares = [0.05, 0.25, 0.5];

/** The shares of a canary, growing; all of the calls come with the move itself. */
export function sharesOf({ share }: Canary): number[] {
  return [share, ...shares.filter((each) => each > share)].filter((each) => each < 1);
}

export function maxWaitMsOf({ stageMs, maxWaitMs = stageMs * patience }: Canary): number {
  return Math.max(stageMs, maxWaitMs);
}

/** From here on more failures are real: fewer than one in a hundred equal replicas ever look so, however often they are compared. */
const sureOfFailures = 0.9999;
/** From here on slower calls are real: this is found twice, among other calls, before the move fails. */
const sureOfTimes = 0.995;
/** From here on a difference is waited for, to become real or to vanish. */
const doubtful = 0.9;
/** How many more of the calls may be slow. */
const maxSlow = 0.02;

/** The calls that both sides have answered, and whether the replicas before ran in processes of their own as well. */
export interface Sides {
  readonly other: Tally;
  readonly before: Tally;
  readonly alike: boolean;
}

export type Verdict =
  | { readonly state: 'open' | 'well'; readonly sure: number }
  | { readonly state: 'worse' | 'slow' | 'unknown'; readonly sure: number; readonly why: string };

/**
 * Whether the new replicas are no worse than the replicas before, and how sure that is (0 to 1). They are worse when more of their calls
 * fail, or when more of them take longer than the slowest twentieth before took, with what is allowed added to both. Failures count at
 * once, `slow` once the stage is over, since a new process is slow at first.
 */
export function verdictOf(sides: Sides, canary: Canary, elapsedMs: number): Verdict {
  const { other } = sides;
  const [failing, slow] = [doubtOfFailures(sides, canary), doubtOfTimes(sides, canary)];
  const doubt = Math.max(failing, slow);
  const sure = Math.round((1 - doubt) * 1_000) / 1_000;
  if (failing >= sureOfFailures) return { state: 'worse', sure, why: failuresIn(sides) };
  const isLast = elapsedMs >= maxWaitMsOf(canary);
  if (other.counted < canary.leastCalls)
    return isLast ? { state: 'unknown', sure, why: tooFew(other.counted, canary.leastCalls) } : { state: 'open', sure };
  if (elapsedMs < canary.stageMs) return { state: 'open', sure };
  if (slow >= sureOfTimes) return { state: 'slow', sure, why: timesIn(sides) };
  if (doubt < doubtful) return { state: 'well', sure };
  if (!isLast) return { state: 'open', sure };
  const why = failing > slow ? failuresIn(sides) : timesIn(sides);
  return {
    state: 'unknown',
    sure,
    why: `${why}; more calls could tell whether that is chance (maxWaitMs, --max-wait)`,
  };
}

function doubtOfFailures({ other, before }: Sides, { maxFailures }: Canary): number {
  return surenessOfExcess(other.failed, before.failed, maxFailures);
}

function doubtOfTimes(sides: Sides, canary: Canary): number {
  const { other, before } = sides;
  const { p95Ms } = before.counts;
  if (p95Ms === undefined) return 0;
  const limitMs = p95Ms + (canary.maxSlowerMs ?? defaultAllowedMs(p95Ms, sides.alike));
  return surenessOfExcess(other.longerThan(limitMs), before.longerThan(limitMs), maxSlow);
}

/**
 * By how much a call may be slower unless the order says so: 50 ms, as a call to another process takes longer by nature; between
 * processes as much again as before, from 5 to 50 ms.
 */
function defaultAllowedMs(p95Ms: number, alike: boolean): number {
  return alike ? Math.min(50, Math.max(5, p95Ms)) : 50;
}

function failuresIn({ other, before }: Sides): string {
  return `${percent(other)} of the ${other.counted} calls to the new replicas failed, ${percent(before)} of the calls before`;
}

function timesIn({ other, before }: Sides): string {
  return `the new replicas took ${other.counts.p95Ms} ms (95th percentile of ${other.counted} calls), the replicas before ${before.counts.p95Ms} ms`;
}

function tooFew(calls: number, needed: number): string {
  return `only ${calls} calls went to the new replicas, too few to judge them by (${needed} are needed); wait longer (maxWaitMs, --max-wait), send a larger share, or ask for fewer (leastCalls, --least-calls)`;
}

function percent({ failed: { hits, of } }: Tally): string {
  return `${of === 0 ? 0 : Math.round((hits / of) * 1_000) / 10} %`;
}
