// kerf new: writes new code.
import type { Define } from './cli/command.ts';
import { define as defineMigration } from './new-migration.ts';
import { define as defineModule } from './new-module.ts';

export const define: Define = (command) => {
  command.description('Writes new code, which passes every check.');
  defineModule(command.command('module'));
  defineMigration(command.command('migration'));
};
