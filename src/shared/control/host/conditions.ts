import { type CallSource, ofKernel } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import { oldestInOutbox } from '../../kernel/events/index.ts';
import type { OpenModule } from '../../kernel/module/index.ts';
import type { Conditions } from '../gateway/index.ts';
import type { Directory } from '../routing/index.ts';
import type { ModuleProcesses } from '../supervisor/index.ts';

/** A frozen process must not delay a readiness probe, which usually waits for one second. */
const patienceMs = 800;
/** An event that waits for longer than this cannot be delivered: its recipient, or the broker, is away. */
const undeliveredAfterMs = 60_000;

/** What a process answers about a module that runs there. A process of an earlier release answers `writes` alone. */
export interface Condition {
  readonly writes: boolean;
  readonly why?: string | undefined;
  readonly stopping?: boolean;
  readonly undelivered?: readonly string[];
}

/** Returns the modules that are in some state now. */
export type WhichModules = () => Promise<string[]>;

/** Finds the modules that cannot be reached now: they run nowhere, or none of their instances takes calls. */
export function whichAreAway(modules: readonly string[], directory: Directory): WhichModules {
  return shared(async () => {
    const present = await Promise.all(modules.map((module) => directory.reachable(module)));
    return modules.filter((_, index) => !present[index]);
  });
}

/** Finds what each module lacks now, wherever it runs. */
export function conditionsOf(
  modules: readonly string[],
  away: WhichModules,
  calls: CallSource,
  moduleProcesses: Pick<ModuleProcesses, 'of'>,
): () => Promise<Conditions> {
  const asked = modules.map((module) => calls(ofKernel('writes', module), 'kernel'));
  const answersOfAll = async () => {
    const answers = asked.map((ask) => ask({}, { timeoutMs: patienceMs }).catch(() => undefined));
    return (await Promise.all(answers)) as (Condition | undefined)[];
  };
  return shared(async () => {
    const [missing, answers] = await Promise.all([away(), answersOfAll()]);
    const which = (is: (answer: Condition) => boolean | undefined) =>
      modules.filter((_, index) => answers[index] !== undefined && is(answers[index]));
    const withProcess = (is: (process: ReturnType<ModuleProcesses['of']>[number]) => boolean) =>
      modules.filter((module) => moduleProcesses.of(module).some(is));
    return {
      away: missing,
      unwritable: new Map(
        modules.flatMap((module, index) => {
          const answer = answers[index];
          return answer?.writes === false ? [[module, answer.why ?? 'the log of its process says why'] as const] : [];
        }),
      ),
      starting: withProcess(({ state }) => state.kind === 'starting' || state.kind === 'waiting'),
      unresponsive: withProcess(({ unresponsive }) => unresponsive),
      draining: which(({ stopping }) => stopping),
      undelivered: which(({ undelivered = [] }) => undelivered.length > 0),
    };
  });
}

type WaitingEvent = { readonly recipient: string; readonly waitedMs: number };

/** Returns how long the oldest event in the outbox of a module has waited for each recipient, in milliseconds. */
export async function oldestEvents({ database }: Pick<OpenModule, 'database'>): Promise<WaitingEvent[]> {
  const now = Date.now();
  const oldest = await oldestInOutbox(database);
  return oldest.map(({ recipient, since }) => ({ recipient, waitedMs: Math.max(0, now - since) }));
}

/** Returns the recipients to which a module could not deliver an event for a minute. */
export async function undeliveredOf(read: () => Promise<readonly WaitingEvent[]>): Promise<string[]> {
  // A database that cannot be read is unwritable as well, which is reported.
  const oldest = await read().catch(() => []);
  return oldest.filter(({ waitedMs }) => waitedMs > undeliveredAfterMs).map(({ recipient }) => recipient);
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
