import { background } from '../../src/shared/kernel/context/index.ts';
import type { ModuleContainer, ModuleDefinition, ModuleUnit } from '../../src/shared/kernel/module/index.ts';
import type { Disk } from './disk.ts';
import type { FirstDay } from './first-day.ts';

/**
 * Bugs that a test plants, to prove that the simulation finds them. Each has the first seed whose history shows it. A change of the
 * code may change every history; then the test searches for another seed.
 */
export const firstSeeds = {
  'marks an event as delivered before its delivery': 2,
  'reports a commit before it happens': 2,
  'forgets which events it has handled': 6,
  'never compensates': 2,
  'voids payments only in its own records': 2,
  'runs background work in the context of a caller': 137,
  'waits for a handler forever': 6,
  'delivers an event that kills its process again and again': 15,
  'waits for a command in steps forever': 21,
  'forgets its recorded answers': 10,
  'starts on data of an incompatible release': 38,
  'treats a living process as dead': 7,
  'misses its timers after the clock steps back': 10,
  'forgets tasks that fell due while it was frozen': 17,
  'starts empty when its data is missing': 12,
  'starts on an older copy of its data': 5,
  'treats a damaged record as missing': 3,
} as const;

export type Flaw = keyof typeof firstSeeds;
export const flaws = Object.keys(firstSeeds) as Flaw[];

/** Plants a flaw: background work runs in the context of its request, and so ends with it. Returns a function that removes the flaw. */
export function workInTheNameOfCallers(): () => void {
  const { run, queueMicrotask: later } = background;
  background.run = (task, ...input) => task(...input);
  background.queueMicrotask = queueMicrotask;
  return () => void Object.assign(background, { run, queueMicrotask: later });
}

/** Returns the first day with the flaw in its modules. The bus, the database, the processes and the provider plant their own flaws. */
export function plant(day: FirstDay, flaw: Flaw | undefined): FirstDay {
  const change = flaw && changes[flaw];
  if (!change) return day;
  const definitions = [...day.definitions].map(([name, each]) => [name, change(each, day.disks.get(name)!)] as const);
  return { ...day, definitions: new Map(definitions) };
}

type Opened = ReturnType<ModuleDefinition['open']>;
type Change = (definition: ModuleDefinition, disk: Disk) => ModuleDefinition;

const changes: Partial<Record<Flaw, Change>> = {
  'forgets which events it has handled': (definition, { native }) => {
    const forget = native.prepare('DELETE FROM kerf_inbox');
    return {
      ...definition,
      subscriptions: definition.subscriptions?.map(({ event, handle }) => ({
        event,
        async handle(data: never, unit: ModuleUnit, container: ModuleContainer) {
          await handle(data, unit, container);
          forget.run();
        },
      })),
    };
  },
  'never compensates': (definition) =>
    inside(definition, (opened) => ({
      ...opened,
      sagas: opened.sagas?.map((saga) => ({
        ...saga,
        steps: saga.steps.map((step) => (step.kind === 'call' ? { ...step, undo: undefined } : step)),
      })),
    })),
};

function inside(definition: ModuleDefinition, change: (opened: Opened) => Opened): ModuleDefinition {
  return { ...definition, open: (container) => change(definition.open(container)) };
}
