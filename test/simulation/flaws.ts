import { background } from '../../src/shared/kernel/context/index.ts';
import type { ModuleContainer, ModuleDefinition, ModuleUnit } from '../../src/shared/kernel/module/index.ts';
import type { Disk } from './disk.ts';
import type { FirstDay } from './first-day.ts';

/** Bugs that a test plants, to prove that the simulation finds them. */
export const flaws = [
  'marks an event as delivered before its delivery',
  'reports a commit before it happens',
  'forgets which events it has handled',
  'never compensates',
  'voids payments only in its own records',
  'runs background work in the context of a caller',
  'waits for a handler forever',
  'delivers an event that kills its process again and again',
  'waits for a command in steps forever',
  'forgets its recorded answers',
  'starts on data of an incompatible release',
  'treats a living process as dead',
  'misses its timers after the clock steps back',
  'forgets tasks that fell due while it was frozen',
  'starts empty when its data is missing',
  'starts on an older copy of its data',
  'treats a damaged record as missing',
] as const;

export type Flaw = (typeof flaws)[number];

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
