import { currentContext } from '../../src/shared/kernel/context/index.ts';
import type { ModuleContainer, ModuleDefinition, ModuleUnit } from '../../src/shared/kernel/module/index.ts';
import type { Life } from './host.ts';
import type { World } from './world.ts';

const never = new Promise<never>(() => {});

/** Injects faults into a module of one process: its event handlers and operations in steps hang or are slow; poison kills the process. */
export function withFaults(definition: ModuleDefinition, life: Life, world: World): ModuleDefinition {
  const { name } = definition.contract;
  return {
    ...definition,
    subscriptions: definition.subscriptions?.map(({ event, handle }) => ({
      event,
      async handle(data: never, unit: ModuleUnit, container: ModuleContainer) {
        if (world.isPoison(name, currentContext()!.requestId)) await meetPoison(life, world);
        await hang(world);
        await beSlow(world);
        await handle(data, unit, container);
      },
    })),
    open(container) {
      const inside = definition.open(container);
      const operations = Object.entries(inside.operations).map(([operation, handler]) => [
        operation,
        typeof handler === 'object' && 'inSteps' in handler
          ? {
              inSteps: async (...given: unknown[]) => {
                await hang(world);
                await beSlow(world);
                return handler.inSteps(...(given as [never, never]));
              },
            }
          : handler,
      ]);
      return { ...inside, operations: Object.fromEntries(operations) };
    },
  };
}

async function meetPoison(life: Life, world: World): Promise<void> {
  if (world.plan.poison!.how === 'kill') life.host.crash?.('while it handles an event');
  return never;
}

async function hang(world: World): Promise<void> {
  if (world.strikes('hang')) await never;
}

async function beSlow(world: World): Promise<void> {
  if (world.strikes('slow'))
    await new Promise<void>((over) => world.scheduler.after(world.random.between(50, 4_000), over));
}
