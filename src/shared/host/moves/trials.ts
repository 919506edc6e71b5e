import { z } from 'zod';
import type { Counts, Trial } from '../../topology/index.ts';
import type { Journal } from './journal.ts';

/** How many calls at a time a new process gets while it warms up, and how many before it gets more at a time. */
const warming = [
  { atOnce: 1, calls: 8 },
  { atOnce: 2, calls: 16 },
  { atOnce: 4, calls: 48 },
];
const warmingMs = 1_500;
const warmingQuietMs = 300;
const warmingLookMs = 10;
const lookMs = 250;
const tellMs = 1_000;

/** How new copies are tried out with a growing share of the calls before they get them all. */
export const canarySchema = z.strictObject({
  /** The first share, 0 to 1. */
  share: z.number().gt(0).max(1).default(0.05),
  /** How long a share lasts at least. */
  stageMs: z.int().min(100).max(3_600_000).default(10_000),
  /** The calls that the new copies must have had at each share to be judged. */
  leastCalls: z.int().min(1).max(100_000).default(20),
  /** How many more of their calls may fail than of those before, as a part of all: 0.01 is one in a hundred. */
  maxFailures: z.number().min(0).max(1).default(0.01),
  /** By how much the 95th percentile of their time may be longer, in milliseconds. */
  maxSlowerMs: z.number().min(0).max(60_000).default(50),
});
export type Canary = z.output<typeof canarySchema>;

/** How long queries are also asked of the new copies, to compare the answers. */
export const mirrorSchema = z.strictObject({ forMs: z.int().min(100).max(3_600_000).default(10_000) });
export type Mirror = z.output<typeof mirrorSchema>;

/** How the new copies are tried out before they get all the calls, if they are. */
export interface TryOut {
  readonly mirror?: Mirror | undefined;
  readonly canary?: Canary | undefined;
}

/** Where too few calls came, more are waited for this many times as long. */
const patience = 6;
const shares = [0.05, 0.25, 0.5];

/** The shares of a canary, growing; all of the calls come with the move itself. */
export function sharesOf({ share }: Canary): number[] {
  return [share, ...shares.filter((each) => each > share)].filter((each) => each < 1);
}

/**
 * Of the calls that the trial sends, one at a time, then some: the first calls of a new process take longest, and few are to wait
 * behind another's. Nothing is judged by them. Ends early when nobody calls, and before there were enough when few do.
 */
export async function warmUp(journal: Journal, trial: Trial): Promise<void> {
  const endsAt = performance.now() + warmingMs;
  for (const { atOnce, calls } of warming) {
    trial.atOnce = atOnce;
    const enough = trial.other.counted + calls;
    for (let [seen, quietMs] = [0, 0]; trial.other.counted < enough; quietMs += warmingLookMs) {
      if (trial.other.counted > seen) [seen, quietMs] = [trial.other.counted, 0];
      if (quietMs >= warmingQuietMs || performance.now() >= endsAt) return;
      await journal.pause(warmingLookMs);
    }
  }
}

interface Watched {
  /** Why it must end badly now, if so; `true` when it has ended well. */
  readonly judge: (elapsedMs: number) => string | boolean;
  readonly seen: () => object;
}

/** One step of the move for each share: it goes on when the new copies are no worse, and fails as soon as they are. */
export async function canarySteps(journal: Journal, trial: Trial, canary: Canary): Promise<void> {
  for (const [index, share] of sharesOf(canary).entries()) {
    const name = `canary ${Math.round(share * 1_000) / 10} %`;
    const withinMs = warmingMs + canary.stageMs * patience + lookMs * 4;
    const seen = () => ({ other: trial.other.counts, before: trial.before.counts });
    const judge = (elapsedMs: number) => verdict(seen(), canary, elapsedMs);
    const run = async () => {
      trial.share = share;
      if (index === 0) await warmUp(journal, trial);
      trial.atOnce = Number.POSITIVE_INFINITY;
      trial.recount();
      return watch(journal, name, { judge, seen });
    };
    await journal.step({ name, withinMs, run });
  }
}

/** A step of the move in which nothing is moved: it fails when an answer differs. */
export async function mirrorStep(journal: Journal, trial: Trial, { forMs }: Mirror): Promise<void> {
  const seen = () => ({ ...trial.compared });
  const judge = (elapsedMs: number) => {
    const { same, different, differences } = trial.compared;
    const [first] = differences;
    const isNothing = same + different === 0;
    if (elapsedMs < forMs * (isNothing ? patience : 1)) return false;
    if (isNothing) return 'no query was asked meanwhile, so nothing is known of the new copies';
    if (different === 0) return true;
    return `${different} answers of the new copies differ, first that of ${first?.operation} at ${first?.at}`;
  };
  const run = async () => {
    trial.mirrors = true;
    const result = await watch(journal, 'mirror', { judge, seen }).finally(() => {
      trial.mirrors = false;
    });
    return result;
  };
  await journal.step({ name: 'mirror', withinMs: forMs * patience + 10_000, run });
}

/** Looks again and again, and tells what it sees once a second. */
async function watch(journal: Journal, step: string, { judge, seen }: Watched): Promise<object> {
  const startedAt = performance.now();
  let toldAt = startedAt;
  for (;;) {
    await journal.pause(lookMs);
    const now = performance.now();
    const found = judge(now - startedAt);
    if (typeof found === 'string') throw new Error(found);
    if (found) return seen();
    if (now - toldAt < tellMs) continue;
    toldAt = now;
    journal.watched(step, seen());
  }
}

type Seen = { readonly other: Counts; readonly before: Counts };

/** Exported for its test: whether the new copies have done well, so far or at last, or why they have not. */
export function verdict({ other, before }: Seen, canary: Canary, elapsedMs: number): string | boolean {
  const { stageMs, leastCalls, maxFailures, maxSlowerMs } = canary;
  if (other.calls < leastCalls) {
    if (elapsedMs < stageMs * patience) return false;
    return `only ${other.calls} calls went to the new copies, too few to judge them by (${leastCalls} are needed)`;
  }
  const part = (counts: Counts) => (counts.calls === 0 ? 0 : counts.failures / counts.calls);
  if (part(other) > part(before) + maxFailures)
    return `${percent(part(other))} of the calls to the new copies failed, ${percent(part(before))} of those before`;
  const slowerMs = (other.p95Ms ?? 0) - (before.p95Ms ?? other.p95Ms ?? 0);
  if (slowerMs > maxSlowerMs)
    return `the new copies took ${other.p95Ms} ms (95th percentile), those before ${before.p95Ms} ms`;
  return elapsedMs >= stageMs;
}

function percent(part: number): string {
  return `${Math.round(part * 1_000) / 10} %`;
}
