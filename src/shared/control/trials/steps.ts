import type { Clock } from '../../kernel/context/index.ts';
import type { Canary, Mirror, StepObservation } from '../admin-contract/index.ts';
import { type Journal, type TrafficSplit, warmUp, warmUpWithinMs } from '../relocation/index.ts';
import { maxWaitMsOf, sharesOf, type Verdict, verdictOf } from './canary.ts';
import { Comparison } from './comparison.ts';
import { patience } from './mirror.ts';

const lookMs = 250;
const tellMs = 1_000;

interface Watched {
  /** Returns whether the step has succeeded. Throws an error with the reason when it has failed. */
  readonly judge: (elapsedMs: number) => boolean;
  readonly seen: () => StepObservation;
}

/**
 * Runs one step of the move for each share. A step succeeds when the new replicas are no worse. It fails when they are worse, or when
 * there is no verdict in time. `alike` says whether the old replicas run in processes of their own as well.
 */
export async function canarySteps(
  journal: Journal,
  split: TrafficSplit,
  canary: Canary,
  alike: boolean,
): Promise<void> {
  for (const [index, share] of sharesOf(canary).entries()) {
    const name = `canary ${Math.round(share * 1_000) / 10} %`;
    const run = async () => {
      split.share = share;
      if (index === 0) await warmUp(journal, split);
      split.atOnce = Number.POSITIVE_INFINITY;
      split.recount();
      return watch(journal, name, new Judge(split, canary, alike));
    };
    // The judge may judge response times twice.
    await journal.step({ name, withinMs: warmUpWithinMs + 2 * maxWaitMsOf(canary) + lookMs * 8, run });
  }
}

/** Judges the calls of one share. A new process is slow at first: the step fails only if later calls are slow as well. */
class Judge implements Watched {
  #secondFromMs: number | undefined;
  private readonly split: TrafficSplit;
  private readonly canary: Canary;
  private readonly alike: boolean;

  constructor(split: TrafficSplit, canary: Canary, alike: boolean) {
    this.split = split;
    this.canary = canary;
    this.alike = alike;
  }

  readonly judge = (elapsedMs: number): boolean => {
    const verdict = this.#verdict(elapsedMs);
    if (verdict.state === 'slow' && this.#secondFromMs === undefined) {
      this.#secondFromMs = elapsedMs;
      this.split.recount();
      return false;
    }
    if ('why' in verdict) throw new Error(verdict.why);
    return verdict.state === 'well';
  };

  readonly seen = (): StepObservation => {
    const { candidate, current } = this.split;
    return { other: { ...candidate.counts }, before: { ...current.counts }, sure: this.#verdict(0).sure };
  };

  #verdict(elapsedMs: number): Verdict {
    const { candidate, current } = this.split;
    return verdictOf({ candidate, current, alike: this.alike }, this.canary, elapsedMs - (this.#secondFromMs ?? 0));
  }
}

/** Runs a step that only compares answers. It fails when an answer differs, or when no answer came and the mirror is required. */
export async function mirrorStep(
  journal: Journal,
  split: TrafficSplit,
  clock: Clock,
  { forMs, required }: Mirror,
): Promise<void> {
  const comparison = new Comparison(split, clock);
  const { compared } = comparison;
  const seen = () => ({ ...compared });
  const judge = (elapsedMs: number) => {
    const { same, different, differences } = compared;
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
    split.onAnswer = (request, way, answer) => void comparison.compare(request, way, answer);
    return watch(journal, 'mirror', { judge, seen }).finally(() => {
      split.onAnswer = undefined;
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
