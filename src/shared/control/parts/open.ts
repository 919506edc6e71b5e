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
  readonly trials: Trials | undefined;
  close(): Promise<void>;
  /** Called when a public request has ended. */
  readonly requestEnded: OpenPart['requestEnded'];
  serveOpenly(app: AdminRoutes, around: ProcessAround): void;
  serve(app: AdminRoutes, fanOut: FanOut, around: ProcessAround): void;
}

/** Opens the parts that the product has. Throws a `StartError` when two have one name, or when a setting needs a part that is missing. */
export function openParts(parts: readonly ControlPart[], around: Parameters<ControlPart['open']>[0]): OpenControl {
  const opened = new Map<string, OpenPart>();
  for (const part of parts) {
    if (opened.has(part.name)) throw new StartError(`"control" in src/app.ts lists ${part.name}() twice`);
    opened.set(part.name, part.open(around));
  }
  const each = <K extends Exclude<keyof OpenPart, 'metrics'>>(key: K) =>
    [...opened.values()].flatMap((part) => part[key] ?? []);
  const dependenciesOf = (name: string, around: ProcessAround): PartDependencies => ({
    ...around,
    metrics: [...opened.values()].flatMap((part) => part.metrics ?? []),
    share: () => around.moduleProcesses.share(name),
  });
  if (around.topology.settings.FAULT_POINT && each('faults').length === 0)
    throw new StartError('FAULT_POINT needs faults(), and it is not there: add it to "control" in src/app.ts');
  return {
    hooks: {
      counter: each('counter')[0],
      observers: each('observer'),
      faults: each('faults'),
      servers: each('server'),
      listener: each('listener')[0],
    },
    shared: new Map([...opened].flatMap(([name, { shared }]) => (shared ? [[name, shared] as const] : []))),
    trials: each('trials')[0],
    requestEnded: each('requestEnded')[0],
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
