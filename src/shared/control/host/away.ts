import { type CallSource, type Directory, ofKernel } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';

/** A process that is frozen must not keep a probe of readiness waiting: it usually has a second. */
const patienceMs = 800;

/** Answers which modules are in some state now. */
export type WhichModules = () => Promise<string[]>;

/** Which modules cannot be reached now: those that run nowhere, and those of which no instance takes calls. */
export function whichAreAway(modules: readonly string[], directory: Directory): WhichModules {
  return shared(async () => {
    const present = await Promise.all(modules.map((module) => directory.reachable(module)));
    return modules.filter((_, index) => !present[index]);
  });
}

/** Tells why modules can keep nothing now, by module. */
export type WhyUnwritable = () => Promise<ReadonlyMap<string, string>>;

/** Which modules can be reached and can keep nothing now, wherever they run: the disk is full, or a file is gone. */
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

/** Whoever asks while an answer is on its way gets the same one, so that asking often costs the other processes little. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= background.run(ask).finally(() => {
      asked = undefined;
    });
    return asked;
  };
}
