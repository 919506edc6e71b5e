// npm run log-levels: shows and changes the levels of the logs of the running system.
import type { z } from 'zod';
import { logLevelsAnswer } from '../src/shared/control/admin-contract/index.ts';
import { type LogLevels, levelsRule, levelsText, readLevels } from '../src/shared/control/logs/index.ts';
import { ask, reaches, tell } from './operator.ts';
import { asJson, misused, readWords } from './words.ts';

const help = `Usage: npm run log-levels -- list            [--json]
       npm run log-levels -- set   <levels>  [--json]
       npm run log-levels -- reset           [--json]

  list    shows the level of all logs, and of modules with a level of their own
  set     replaces them in every process, until the home process restarts: info,payments=debug
          debug, info, warn, error or silent, for all or for a module, "gateway" or "home"; without a level for all, it is warn
  reset   returns to the setting LOG_LEVEL of the home process

${reaches}`;

const { values, positionals } = readWords('log-levels', help, asJson, 2);
const [action, levels] = positionals;
const path = '/ops/log-levels';

const actions = new Map([
  ['list', async () => show(await ask(logLevelsAnswer, 'GET', path))],
  ['set', set],
  ['reset', async () => replace((await ask(logLevelsAnswer, 'GET', path)).settings)],
]);
const act = actions.get(action ?? '') ?? misuse(`name an action: ${[...actions.keys()].join(', ')}`);
if (action !== 'set' && levels !== undefined) misuse(`unknown word "${levels}"`);
await act();

async function set(): Promise<void> {
  if (levels === undefined) misuse('say the levels, such as info,payments=debug');
  await replace(readLevels(levels) ?? misuse(`"${levels}" is invalid: the levels ${levelsRule}`));
}

async function replace(body: LogLevels): Promise<void> {
  show(await ask(logLevelsAnswer, 'PUT', path, body));
}

function show(answer: z.output<typeof logLevelsAnswer>): void {
  tell(values, answer, ({ missed = [] }) => {
    console.log(levelsText(answer));
    if (missed.length > 0) console.log(`not told, since they cannot be reached: ${missed.join(', ')}`);
  });
}

function misuse(why: string): never {
  misused('log-levels', why);
}
