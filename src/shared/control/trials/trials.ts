import type { RoadStep } from '../../kernel/calls/index.ts';
import { type Clock, systemClock } from '../../kernel/context/index.ts';
import type { Contract, Operation } from '../../kernel/contract/index.ts';
import type { ControlPart } from '../parts/index.ts';
import type { Journal, TrafficSplit, Trials, TryOut } from '../relocation/index.ts';
import { hasQueries, type Mirrored, whatToMirror } from './mirror.ts';
import { canarySteps, mirrorStep } from './steps.ts';

/** Lets an operator order a canary, which gives new replicas a growing share of the calls, and a mirror, which compares their answers. */
export function trials(): ControlPart {
  return {
    name: 'trials',
    open() {
      const runner = new TrialRunner(systemClock);
      return { observer: (_caller, operation) => runner.counting(operation), trials: runner };
    },
  };
}

class TrialRunner implements Trials {
  /** The calls that this process has sent to each module so far. */
  readonly #sent = new Map<string, { queries: number; commands: number }>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Returns the step of the road that counts the calls of an operation. */
  counting({ module, kind }: Operation): RoadStep {
    const sent = this.#sentTo(module);
    const which = kind === 'query' ? 'queries' : 'commands';
    return (call, next) => {
      sent[which] += 1;
      return next(call);
    };
  }

  preflight({ mirror }: TryOut, contract: Contract): { readonly toMirror?: Mirrored } {
    return mirror ? { toMirror: whatToMirror(contract, { ...this.#sentTo(contract.name) }, mirror) } : {};
  }

  async run(
    journal: Journal,
    split: TrafficSplit,
    { mirror, canary, contract, alike }: Parameters<Trials['run']>[2],
  ): Promise<void> {
    if (mirror && hasQueries(contract)) await mirrorStep(journal, split, this.clock, mirror);
    if (canary) await canarySteps(journal, split, canary, alike);
  }

  #sentTo(module: string) {
    const sent = this.#sent.get(module) ?? { queries: 0, commands: 0 };
    this.#sent.set(module, sent);
    return sent;
  }
}
