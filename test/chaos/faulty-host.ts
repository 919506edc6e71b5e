// Replaces src/shared/control/host in the release that a chaos run starts (rolldown.config.mjs).

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProductDefinition, run as runWell } from '../../src/shared/control/host/product.ts';
import type { ModuleContainer, ModuleDefinition, ModuleUnit } from '../../src/shared/kernel/module/index.ts';
import { handlerFaults } from './faulty-process.ts';

/** Runs a product with faulty event handlers. The chaos run decides when they hang, are slow or kill their process. */
export const run = (product: ProductDefinition): Promise<void> =>
  runWell({ ...product, modules: product.modules.map(withFaultyHandlers) });

function withFaultyHandlers(definition: ModuleDefinition): ModuleDefinition {
  const { name } = definition.contract;
  return {
    ...definition,
    subscriptions: definition.subscriptions?.map(({ event, handle }) => ({
      event,
      async handle(data: never, unit: ModuleUnit, container: ModuleContainer) {
        await suffer(name);
        await handle(data, unit, container);
      },
    })),
  };
}

async function suffer(module: string): Promise<void> {
  const { handlers, fatal, folder } = handlerFaults(module);
  if (fatal && Array.from({ length: fatal.times }).some((_, nth) => isFirst(join(folder!, `${fatal.id}-${nth}`))))
    process.kill(process.pid, 'SIGKILL');
  if (handlers === 'hang') await new Promise(() => {});
  if (handlers === 'slow') await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 2_500));
}

function isFirst(mark: string): boolean {
  try {
    writeFileSync(mark, '', { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}
