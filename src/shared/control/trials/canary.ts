import type { Canary } from '../admin-contract/index.ts';
import type { CallStatistics } from '../relocation/index.ts';
import { surenessOfExcess } from './evidence.ts';
import { patience } from './mirror.ts';

const shares = [0.05, 0.25, 0.5];

/** Returns the growing shares of a canary, each below 1; the move itself transfers all calls. */
export function sharesOf({ share }: Canary): number[] {
  return [share, ...shares.filter((each) => each > share)].filter((each) => each < 1);
}

export function maxWaitMsOf({ stageMs, maxWaitMs = stageMs * patience }: Canary): number {
  return Math.max(stageMs, maxWaitMs);
}

/** At this probability, more failures count as real. Fewer than 1 % of equal replicas ever reach it, however often it is computed. */
const sureOfFailures = 0.9999;
/** At this probability, slower calls count as real. The move fails only after it is reached twice, with different calls. */
const sureOfTimes = 0.995;
/** At this probability, a difference needs more calls, which confirm it or make it vanish. */
const doubtful = 0.9;
/** How much higher the share of slow calls may be. */
const maxSlow = 0.02;

/** The calls that both sides have answered, and whether the old replicas ran in processes of their own as well. */
export interface Sides {
  readonly candidate: CallStatistics;
  readonly current: CallStatistics;
  readonly alike: boolean;
}

export type Verdict =
  | { readonly state: 'open' | 'well'; readonly sure: number }
  | { readonly state: 'worse' | 'slow' | 'unknown'; readonly sure: number; readonly why: string };

/**
 * Judges whether the new replicas are no worse than the old ones, and how sure that is (0 to 1). They are worse when more of their calls
 * fail, or when more of them take longer than the old 95th percentile. Both limits include a tolerance. Failures count at once, slow
 * calls only once the stage is over, since a new process is slow at first.
 */
export function verdictOf(sides: Sides, canary: Canary, elapsedMs: number): Verdict {
  const { candidate } = sides;
  const [failing, slow] = [doubtOfFailures(sides, canary), doubtOfTimes(sides, canary)];
  const doubt = Math.max(failing, slow);
  const sure = Math.round((1 - doubt) * 1_000) / 1_000;
  if (failing >= sureOfFailures) return { state: 'worse', sure, why: failuresIn(sides) };
  const isLast = elapsedMs >= maxWaitMsOf(canary);
  if (candidate.counted < canary.leastCalls)
    return isLast
      ? { state: 'unknown', sure, why: tooFew(candidate.counted, canary.leastCalls) }
      : { state: 'open', sure };
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

function doubtOfFailures({ candidate, current }: Sides, { maxFailures }: Canary): number {
  return surenessOfExcess(candidate.failed, current.failed, maxFailures);
}

function doubtOfTimes(sides: Sides, canary: Canary): number {
  const { candidate, current } = sides;
  const { p95Ms } = current.counts;
  if (p95Ms === undefined) return 0;
  const limitMs = p95Ms + (canary.maxSlowerMs ?? defaultAllowedMs(p95Ms, sides.alike));
  return surenessOfExcess(candidate.longerThan(limitMs), current.longerThan(limitMs), maxSlow);
}

/**
 * Returns the default tolerance for slower calls. It is 50 ms when the old replicas ran in this process: a call to another process
 * always takes longer. Otherwise it is the old 95th percentile, limited to 5 to 50 ms.
 */
function defaultAllowedMs(p95Ms: number, alike: boolean): number {
  return alike ? Math.min(50, Math.max(5, p95Ms)) : 50;
}

function failuresIn({ candidate, current }: Sides): string {
  return `${percent(candidate)} of the ${candidate.counted} calls to the new replicas failed, ${percent(current)} of the calls before`;
}

function timesIn({ candidate, current }: Sides): string {
  return `the new replicas took ${candidate.counts.p95Ms} ms (95th percentile of ${candidate.counted} calls), the replicas before ${current.counts.p95Ms} ms`;
}

function tooFew(calls: number, needed: number): string {
  return `only ${calls} calls went to the new replicas, too few to judge them by (${needed} are needed); wait longer (maxWaitMs, --max-wait), send a larger share, or ask for fewer (leastCalls, --least-calls)`;
}

function percent({ failed: { hits, of } }: CallStatistics): string {
  return `${of === 0 ? 0 : Math.round((hits / of) * 1_000) / 10} %`;
}
