// npm takes an option before `--` for itself, without an error, and the command would run without it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Option } from 'commander';
import { type KerfCommand, Misuse } from './command.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Options of commands that npm has too: its environment may contain them because its configuration does. */
const ofNpm = ['--before', '--dry-run', '--force', '--json', '--key'];

const prefix = 'npm_config_';

/**
 * Refuses to run a command when npm took one of its options, or an option that no command has. `npx kerf` passes all options on;
 * `npm run` and `npm exec` pass those after `--`.
 */
export function refuseTaken(program: KerfCommand, words: readonly string[], env: Environment = process.env): void {
  const event = env.npm_lifecycle_event;
  if (event === undefined) return;
  const command = commandIn(program, words);
  const option = command.options.find((each) => isTaken(each, words, env));
  const name = option?.long ?? unknownOption(env);
  if (name === undefined) return;
  const typed = `type ${command.path} … ${name}`;
  const reason = ofNpm.includes(name)
    ? `npm took ${name} for itself, or npm's configuration has it; ${typed} if you want it, and ${command.path} … if you do not`
    : `npm took ${name} for itself; ${typed}${env.npm_command === 'exec' ? '' : `, or npm run ${event} -- … ${name}`}`;
  throw new Misuse(reason, command.path);
}

/** Returns the command or action that the words name. */
function commandIn(command: KerfCommand, [word, ...more]: readonly string[]): KerfCommand {
  const next = command.commands.find((each) => each.name() === word);
  return next ? commandIn(next as KerfCommand, more) : command;
}

function isTaken({ long, short }: Option, words: readonly string[], env: Environment): boolean {
  const names = [long, short].filter((name) => name !== undefined);
  if (words.some((word) => names.includes(word.replace(/=.*$/s, '')))) return false;
  const taken = names.find((name) => env[`${prefix}${name.replace(/^-+/, '').replaceAll('-', '_')}`]);
  if (taken === undefined || !ofNpm.includes(taken)) return taken !== undefined;
  return env.npm_command !== 'exec' || !configured(env).has(taken.slice(2));
}

/** Returns an option that npm took although neither npm nor its configuration knows it, such as a misspelled one. */
function unknownOption(env: Environment): string | undefined {
  const set = Object.keys(env).filter((key) => key.startsWith(prefix) && env[key] === 'true');
  const names = set.map((key) => key.slice(prefix.length).replaceAll('_', '-'));
  const inFiles = configured(env);
  const unexplained = names.filter((name) => !inFiles.has(name));
  const known = unexplained.length > 0 ? knownToNpm(env) : undefined;
  const unknown = known && unexplained.find((name) => !known.has(name));
  return unknown && `--${unknown}`;
}

/** Returns the names in the configuration files of npm. */
function configured(env: Environment): ReadonlySet<string> {
  const files = [
    env.npm_config_userconfig,
    env.npm_config_globalconfig,
    join(env.npm_config_local_prefix ?? '.', '.npmrc'),
    join(dirname(env.npm_execpath ?? '.'), '..', 'npmrc'),
  ];
  const lines = files.flatMap((file) => (file === undefined ? [] : linesOf(file)));
  return new Set(
    lines.map((line) =>
      line
        .replace(/(\[\])?\s*(=.*)?$/, '')
        .trim()
        .replaceAll('_', '-'),
    ),
  );
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** Returns the options that npm knows; undefined when this npm does not tell. */
function knownToNpm({ npm_execpath: program }: Environment): ReadonlySet<string> | undefined {
  if (program === undefined) return undefined;
  const file = join(dirname(program), '..', 'node_modules', '@npmcli', 'config', 'lib', 'definitions', 'index.js');
  try {
    return new Set(Object.keys(createRequire(program)(file).definitions));
  } catch {
    return undefined;
  }
}
