// Runs a command.
import { CommanderError } from 'commander';
import { readPackage } from '../package.ts';
import { root } from '../setup.mjs';
import { KerfCommand, Misuse } from './command.ts';
import { topics } from './commands.ts';
import { refuseTaken } from './npm.ts';

/** The exit codes of all commands. `fail` and an error exit with 1, and an interrupted command with 130. */
const exitCodes = { done: 0, misused: 2 } as const;

/** Runs the command that the words name. Resolves with the exit code; rejects with an error for the user. */
export async function main(given: readonly string[]): Promise<number> {
  if (given[0] === 'complete') return complete(given.slice(given[1] === '--' ? 2 : 1));
  // `kerf help extract` is `kerf extract --help`.
  const words = given[0] === 'help' ? [...given.slice(1), '--help'] : [...given];
  const program = await programFor(words);
  let running = program;
  program.hook('preAction', (_, action) => {
    running = action as KerfCommand;
  });
  try {
    refuseTaken(program, words);
    await program.parseAsync(isKnown(program, words) ? words : words.slice(0, 1), { from: 'user' });
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    if (!(error instanceof Misuse)) throw error;
    console.error(`kerf: ${error.message}; see ${error.command ?? running.path} --help`);
    return exitCodes.misused;
  }
}

/** Prints what fits, for a completion script: a line for each word, with its explanation behind a tab. */
async function complete(words: readonly string[]): Promise<number> {
  const { candidatesFor } = await import('./complete.ts');
  for (const { word, about } of await candidatesFor(words, programFor)) console.log(`${word}\t${about}`);
  return exitCodes.done;
}

/** Otherwise commander prints the help of all commands for an unknown command with --help. */
function isKnown(program: KerfCommand, [name = '']: readonly string[]): boolean {
  return name === '' || name.startsWith('-') || program.commands.some((each) => each.name() === name);
}

/** Returns all commands by their names and summaries, and with its options the command that the words name. */
export async function programFor([name = '']: readonly string[]): Promise<KerfCommand> {
  const program = new KerfCommand('npx kerf')
    .helpCommand(false)
    .description('Runs a modular monolith, and moves its modules out into services and back while it serves.')
    .version(readPackage(root).version, '-v, --version', 'prints the version')
    .helpOption('-h, --help', 'shows this help')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => console.log(text.trimEnd()) })
    .note('npx kerf help <command> says more of a command. docs/command-line.md has what all commands share.');
  for (const [topic, commands] of Object.entries(topics))
    for (const [each, { summary, load }] of Object.entries(commands)) {
      const command = program.command(each).summary(summary).helpGroup(topic);
      if (each === name) (await load()).define(command);
    }
  return program;
}
