import type { RoadHooks } from '../../kernel/calls/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import type { AdminRoutes, FanOut } from '../admin-api/index.ts';
import type { Trials } from '../relocation/index.ts';
import type { SharedState } from '../supervisor/index.ts';
import type { ControlPart, OpenPart, PartDependencies } from './part.ts';

/** The process around all parts. */
type ProcessAround = Omit<PartDependencies, 'share' | 'metrics'>;

/** What all parts of control add to a process. */
export interface OpenControl {
  readonly hooks: RoadHooks;
  readonly shared: ReadonlyMap<string, SharedState>;
  readonly finalStates: ReadonlyMap<string, SharedState>;
  readonly trials: Trials | undefined;
  close(): Promise<void>;
  /** Called when a public request has ended. */
  readonly requestEnded: OpenPart['requestEnded'];
  serveOpenly(app: AdminRoutes, around: ProcessAround): void;
  serve(app: AdminRoutes, fanOut: FanOut, around: ProcessAround): void;
}

/**
 * Opens the parts that the product has. Throws a `StartError` when two parts have the same name, when two provide something that
 * only one may provide, or when a setting needs a part that is missing.
 */
export function openParts(parts: readonly ControlPart[], around: Parameters<ControlPart['open']>[0]): OpenControl {
  const opened = new Map<string, OpenPart>();
  for (const part of parts) {
    if (opened.has(part.name)) throw new StartError(`"control" in src/app.ts lists ${part.name}() twice`);
    opened.set(part.name, part.open(around));
  }
  const each = <K extends Exclude<keyof OpenPart, 'metrics'>>(key: K) =>
    [...opened.values()].flatMap((part) => part[key] ?? []);
  const statesOf = (stateOf: (part: OpenPart) => SharedState | undefined) => {
    const states = [...opened].map(([name, part]) => [name, stateOf(part)] as const);
    return new Map(states.filter((each): each is readonly [string, SharedState] => each[1] !== undefined));
  };
  const dependenciesOf = (name: string, around: ProcessAround): PartDependencies => ({
    ...around,
    metrics: [...opened.values()].flatMap((part) => part.metrics ?? []),
    share: () => around.moduleProcesses.share(name),
  });
  if (around.topology.settings.FAULT_POINT && each('faults').length === 0)
    throw new StartError('FAULT_POINT needs faults(), and it is not there: add it to "control" in src/app.ts');
  return {
    hooks: {
      counter: onlyOne(opened, 'counter'),
      observers: each('observer'),
      faults: each('faults'),
      servers: each('server'),
      listener: onlyOne(opened, 'listener'),
    },
    shared: statesOf(({ shared }) => shared),
    finalStates: statesOf(({ finalState }) => finalState),
    trials: onlyOne(opened, 'trials'),
    requestEnded: onlyOne(opened, 'requestEnded'),
    async close() {
      await Promise.all([...opened.values()].map((part) => part.close?.()));
    },
    serveOpenly(app, around) {
      for (const [name, part] of opened) part.serveOpenly?.(app, dependenciesOf(name, around));
    },
    serve(app, fanOut, around) {
      for (const [name, part] of opened) part.serve?.(app, fanOut, dependenciesOf(name, around));
    },
  };
}

/** Returns the `key` of the only part that has one. Throws a `StartError` when two parts have one. */
function onlyOne<K extends 'counter' | 'listener' | 'requestEnded' | 'trials'>(
  opened: ReadonlyMap<string, OpenPart>,
  key: K,
): OpenPart[K] {
  const [first, second] = [...opened].filter(([, part]) => part[key] !== undefined);
  if (first && second)
    throw new StartError(
      `${first[0]}() and ${second[0]}() both give "${key}", and a process takes one: remove one of them from "control" in src/app.ts`,
    );
  return first?.[1][key];
}
