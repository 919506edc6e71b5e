import type { ModuleDefinition } from '../../src/shared/kernel/module/index.ts';

const found = import.meta.glob<ModuleDefinition>('../../src/modules/*/module.ts', { eager: true, import: 'default' });

const insides = Object.keys(import.meta.glob('../../src/modules/*/internal/*.ts'));

/** The definition of every module. */
export const modules = Object.values(found);

/** The modules with an implementation in this repository. Of an ejected module only its public part is here. */
export const modulesHere = modules.filter(({ contract: { name } }) =>
  insides.some((file) => file.startsWith(`../../src/modules/${name}/`)),
);
