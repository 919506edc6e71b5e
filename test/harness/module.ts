import { join } from 'node:path';
import { openSqlite } from '../../src/shared/adapters/sqlite/index.ts';
import type { CallSource } from '../../src/shared/kernel/calls/index.ts';
import { type CallContext, systemClock } from '../../src/shared/kernel/context/index.ts';
import type { Contract } from '../../src/shared/kernel/contract/index.ts';
import { type ModuleDefinition, type ModuleImplementation, openModule } from '../../src/shared/kernel/module/index.ts';
import { silentLog } from '../../src/shared/kernel/telemetry/index.ts';
import { newDataDir } from './kerf.ts';

const found = import.meta.glob<ModuleDefinition>('../../src/modules/*/module.ts', { eager: true, import: 'default' });

const insides = Object.keys(import.meta.glob('../../src/modules/*/internal/*.ts'));

/** The definition of every module. */
export const modules = Object.values(found);

/** The modules with an implementation in this repository. Of an ejected module only its public part is here. */
export const modulesHere = modules.filter(({ contract: { name } }) =>
  insides.some((file) => file.startsWith(`../../src/modules/${name}/`)),
);

const quietBus = {
  recipients: () => [],
  deliver: async () => {},
  subscribe: async () => async () => {},
  backlog: async () => 0,
  close: async () => {},
};

const nobody: CallSource = ({ module, name }) => {
  return () => Promise.reject(new Error(`${module}.${name} is not part of this test`));
};

/** Opens one module alone, on a data folder of its own. `calls` answers its calls to other modules. */
export async function openDefinition(definition: ModuleDefinition, calls: CallSource = nobody) {
  const seen: { inside?: ModuleImplementation<Contract> } = {};
  const watched: ModuleDefinition = {
    ...definition,
    open(container) {
      seen.inside = definition.open(container);
      return seen.inside;
    },
  };
  const folder = newDataDir();
  const module = await openModule(watched, {
    openDatabase: (name, migrations) => openSqlite(name, join(folder, `${name}.db`), migrations),
    bus: quietBus,
    brokers: [],
    clock: systemClock,
    log: silentLog,
    calls,
    settings: definition.settings?.parse({}) ?? {},
  });
  const call = (operation: string, input: unknown, context: Partial<CallContext> = {}) =>
    module.dispatch(operation, input, { requestId: 'test', caller: 'test', deadline: Date.now() + 10_000, ...context });
  return { ...module, inside: seen.inside!, call };
}
