import { type CallSource, type Directory, ofKernel } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';

/** A frozen process must not delay a readiness probe, which usually waits for one second. */
const patienceMs = 800;

/** Returns the modules that are in some state now. */
export type WhichModules = () => Promise<string[]>;

/** Finds the modules that cannot be reached now: they run nowhere, or none of their instances takes calls. */
export function whichAreAway(modules: readonly string[], directory: Directory): WhichModules {
  return shared(async () => {
    const present = await Promise.all(modules.map((module) => directory.reachable(module)));
    return modules.filter((_, index) => !present[index]);
  });
}

/** Returns the reason for each module that cannot store data now. */
export type WhyUnwritable = () => Promise<ReadonlyMap<string, string>>;

/** Finds the modules that can be reached but cannot store data, wherever they run: the disk is full, or a file is gone. */
export function whichTakeNoWrites(modules: readonly string[], calls: CallSource): WhyUnwritable {
  const asked = modules.map((module) => calls(ofKernel('writes', module), 'kernel'));
  return shared(async () => {
    const answers = asked.map((ask) => ask({}, { timeoutMs: patienceMs }).catch(() => undefined));
    const all = (await Promise.all(answers)) as ({ writes: boolean; why?: string } | undefined)[];
    return new Map(
      modules.flatMap((module, index) => {
        const answer = all[index];
        // A process of an earlier release does not say why.
        return answer?.writes === false ? [[module, answer.why ?? 'the log of its process says why'] as const] : [];
      }),
    );
  });
}

/** Shares one answer among all concurrent callers, so that frequent questions cost the other processes little. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= background.run(ask).finally(() => {
      asked = undefined;
    });
    return asked;
  };
}
