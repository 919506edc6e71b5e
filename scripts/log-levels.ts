// kerf log-levels: shows and changes the levels of the logs of the running system.
import { logLevelsAnswer } from '../src/shared/control/admin-contract/index.ts';
import { type LogLevels, levelsRule, levelsText, readLevels } from '../src/shared/control/logs/index.ts';
import { type Define, misuse } from './cli/command.ts';
import { ask, type ResultOptions, reaches, tell } from './operator.ts';

export const define: Define = (command) => {
  command.description('Shows and changes the levels of the logs of the running system.').note(reaches);
  command
    .command('list')
    .description('Shows the level of all logs, and of modules with a level of their own.')
    .json()
    .action(async (options: ResultOptions) => show(await levels(), options));
  command
    .command('set')
    .description(`Replaces the levels in every process, until the home process restarts.`)
    .argument(
      '<levels>',
      'such as info,payments=debug. Debug, info, warn, error or silent, for all or for a module, "gateway" or "home"; without a level for all, it is warn',
    )
    .json()
    .action(async (text: string, options: ResultOptions) =>
      replace(readLevels(text) ?? misuse(`"${text}" is invalid: the levels ${levelsRule}`), options),
    );
  command
    .command('reset')
    .description('Returns to the setting LOG_LEVEL of the home process.')
    .json()
    .action(async (options: ResultOptions) => replace((await levels()).settings, options));
};

const path = '/ops/log-levels';
type Levels = Awaited<ReturnType<typeof levels>>;

function levels() {
  return ask(logLevelsAnswer, 'GET', path);
}

async function replace(body: LogLevels, options: ResultOptions): Promise<void> {
  show(await ask(logLevelsAnswer, 'PUT', path, body), options);
}

function show(answer: Levels, options: ResultOptions): void {
  tell(options, answer, ({ missed = [] }) => {
    console.log(levelsText(answer));
    if (missed.length > 0) console.log(`not told, since they cannot be reached: ${missed.join(', ')}`);
  });
}
