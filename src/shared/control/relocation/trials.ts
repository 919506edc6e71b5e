import type { Trial } from '../../kernel/calls/index.ts';
import type { Canary, Mirror, StepObservation } from '../admin-contract/index.ts';
import { maxWaitMsOf, sharesOf, type Verdict, verdictOf } from './canary.ts';
import type { Journal } from './journal.ts';
import { patience } from './mirror.ts';

/** The stages of a warm-up: the number of concurrent calls to a new process, and the number of calls in the stage. */
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

/** The trials of the new replicas before they receive all calls, if any. */
export interface TryOut {
  readonly mirror?: Mirror | undefined;
  readonly canary?: Canary | undefined;
}

/**
 * Sends the first calls one at a time, then a few at once, since a new process answers its first calls slowly. The verdict ignores
 * these calls. Ends early when no calls come, and at its time limit when too few come.
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
  /** Returns whether the step has succeeded. Throws an error with the reason when it has failed. */
  readonly judge: (elapsedMs: number) => boolean;
  readonly seen: () => StepObservation;
}

/**
 * Runs one step of the move for each share. A step succeeds when the new replicas are no worse. It fails when they are worse, or when
 * there is no verdict in time. `alike` says whether the old replicas run in processes of their own as well.
 */
export async function canarySteps(journal: Journal, trial: Trial, canary: Canary, alike: boolean): Promise<void> {
  for (const [index, share] of sharesOf(canary).entries()) {
    const name = `canary ${Math.round(share * 1_000) / 10} %`;
    const run = async () => {
      trial.share = share;
      if (index === 0) await warmUp(journal, trial);
      trial.atOnce = Number.POSITIVE_INFINITY;
      trial.recount();
      return watch(journal, name, new Judge(trial, canary, alike));
    };
    // The judge may judge response times twice.
    await journal.step({ name, withinMs: warmingMs + 2 * maxWaitMsOf(canary) + lookMs * 8, run });
  }
}

/** Judges the calls of one share. A new process is slow at first: the step fails only if later calls are slow as well. */
class Judge implements Watched {
  #secondFromMs: number | undefined;
  private readonly trial: Trial;
  private readonly canary: Canary;
  private readonly alike: boolean;

  constructor(trial: Trial, canary: Canary, alike: boolean) {
    this.trial = trial;
    this.canary = canary;
    this.alike = alike;
  }

  readonly judge = (elapsedMs: number): boolean => {
    const verdict = this.#verdict(elapsedMs);
    if (verdict.state === 'slow' && this.#secondFromMs === undefined) {
      this.#secondFromMs = elapsedMs;
      this.trial.recount();
      return false;
    }
    if ('why' in verdict) throw new Error(verdict.why);
    return verdict.state === 'well';
  };

  readonly seen = (): StepObservation => {
    const { other, before } = this.trial;
    return { other: { ...other.counts }, before: { ...before.counts }, sure: this.#verdict(0).sure };
  };

  #verdict(elapsedMs: number): Verdict {
    const { other, before } = this.trial;
    return verdictOf({ other, before, alike: this.alike }, this.canary, elapsedMs - (this.#secondFromMs ?? 0));
  }
}

/** Runs a step that only compares answers. It fails when an answer differs, or when no answer came and the mirror is required. */
export async function mirrorStep(journal: Journal, trial: Trial, { forMs, required }: Mirror): Promise<void> {
  const seen = () => ({ ...trial.compared });
  const judge = (elapsedMs: number) => {
    const { same, different, differences } = trial.compared;
    const [first] = differences;
    const isNothing = same + different === 0;
    if (elapsedMs < forMs * (isNothing && required ? patience : 1)) return false;
    if (isNothing && required)
      throw new Error(
        `no query came in ${forMs * patience} ms, so that there was no answer to compare; mirror for longer, or let the move go on without (mirror.required: false, --mirror-optional)`,
      );
    if (different === 0) return true;
    throw new Error(
      `${different} answers of the new replicas differ, first that of ${first?.operation} at ${first?.at}`,
    );
  };
  const run = async () => {
    trial.mirrors = true;
    return watch(journal, 'mirror', { judge, seen }).finally(() => {
      trial.mirrors = false;
    });
  };
  await journal.step({ name: 'mirror', withinMs: forMs * patience + 10_000, run });
}

/** Judges at intervals until the step has succeeded, and reports its observations once a second. */
async function watch(journal: Journal, step: string, { judge, seen }: Watched): Promise<object> {
  const startedAt = performance.now();
  let toldAt = startedAt;
  for (;;) {
    await journal.pause(lookMs);
    const now = performance.now();
    if (judge(now - startedAt)) return seen();
    if (now - toldAt < tellMs) continue;
    toldAt = now;
    journal.watched(step, seen());
  }
}
