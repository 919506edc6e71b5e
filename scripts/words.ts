// Reads the arguments of a command.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { fail, messageOf, refuseTaken } from './setup.mjs';

/** Options that npm has too, so that its environment may contain them for npm itself. */
const ofNpm = ['before', 'dry-run', 'force', 'json', 'key'];

/** An option with a text. */
export const text = { type: 'string' } as const;
/** An option without a value. */
export const flag = { type: 'boolean', default: false } as const;
/** The option of a command that prints JSON. */
export const asJson = { json: flag };

type WordsOf<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>;

/**
 * Reads the arguments of a command: `{ values, positionals }`. Prints the help on request and exits. Fails on an option that the
 * command does not have, or that npm consumed, and on more than `most` positionals.
 */
export function readWords<const O extends ParseArgsOptionsConfig>(
  command: string,
  help: string,
  options: O,
  most = Number.POSITIVE_INFINITY,
): WordsOf<O> {
  wordsToPass(help, Object.keys(options));
  const words = parsed(command, options);
  const unknown = words.positionals[most];
  if (unknown !== undefined) misused(command, `unknown word "${unknown}"`);
  return words;
}

/** Returns the arguments of a command that passes them to a program. Prints the help on request and exits. */
export function wordsToPass(help: string, options: readonly string[] = []): string[] {
  refuseTaken(options.filter((name) => !ofNpm.includes(name)));
  const words = process.argv.slice(2);
  if (!words.includes('--help') && !words.includes('-h')) return words;
  console.log(help);
  process.exit(0);
}

function parsed<const O extends ParseArgsOptionsConfig>(command: string, options: O): WordsOf<O> {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return misused(command, whyMisread(error));
  }
}

/** Shortens the three-line message of parseArgs for an option without a value. */
function whyMisread(error: unknown): string {
  const message = messageOf(error);
  const [, option] = /^Option '(?:-\w, )?(--[\w-]+)' argument is ambiguous/.exec(message) ?? [];
  if (option === undefined) return message.split(/\.\s/)[0] ?? message;
  const value = process.argv[process.argv.lastIndexOf(option) + 1];
  return `'${option}' takes a value, and '${value}' may be an option of its own; write ${option}=${value} if it is the value`;
}

/** Fails with the mistake in the arguments of a command. */
export function misused(command: string, why: string): never {
  fail(`${why}; see npm run ${command} -- --help`);
}
