// What a shell offers for the words that are typed so far.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Option } from 'commander';
import { root } from '../setup.mjs';
import type { KerfCommand } from './command.ts';

/** A word that fits, with the line that explains it. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/**
 * Returns the words that fit in the place of the last word, which may be empty or half typed. `commandOf` returns the commands, the one
 * that the words name with its options. Empty where any text fits, such as the name of a file.
 */
export async function candidatesFor(
  typed: readonly string[],
  commandOf: (words: readonly string[]) => Promise<KerfCommand>,
): Promise<Candidate[]> {
  const words = joinedOptions(typed[0] === 'help' ? typed.slice(1) : typed);
  const current = words.pop() ?? '';
  const { command, taken, option } = reached(await commandOf(words), words);
  return candidates(command, { current, taken, option }).filter(({ word }) => word.startsWith(current));
}

interface Place {
  readonly current: string;
  /** The number of words before it that are no option. */
  readonly taken: number;
  /** The option whose value it is. */
  readonly option: Option | undefined;
}

function candidates(command: KerfCommand, { current, taken, option }: Place): Candidate[] {
  if (option) return valuesOf(option.argChoices, option.flags, current);
  const [name, prefix] = /^(--[^=]+)(?==)/.exec(current) ?? [];
  const written = name === undefined ? undefined : optionOf(command, name);
  if (written && prefix !== undefined)
    return valuesOf(written.argChoices, written.flags, current.slice(prefix.length + 1)).map(({ word, about }) => ({
      word: `${prefix}=${word}`,
      about,
    }));
  if (current.startsWith('-')) return optionsOf(command);
  // A word before it is no command.
  if (command.commands.length > 0 && taken > 0) return [];
  if (command.commands.length > 0) return command.commands.map((each) => ({ word: each.name(), about: aboutOf(each) }));
  const all = command.registeredArguments;
  const argument = all[taken] ?? (all.at(-1)?.variadic ? all.at(-1) : undefined);
  return argument ? valuesOf(argument.argChoices, `<${argument.name()}>`, current) : [];
}

/** Follows the complete words to a command, and to the option that waits for its value. */
function reached(program: KerfCommand, words: readonly string[]) {
  let command = program;
  let taken = 0;
  let option: Option | undefined;
  for (const word of words) {
    if (option) option = undefined;
    else if (word.startsWith('-')) option = optionOf(command, word);
    else {
      const next = command.commands.find((each) => each.name() === word);
      if (next) command = next as KerfCommand;
      else taken += 1;
    }
  }
  return { command, taken, option };
}

/** Returns an option that takes a value. */
function optionOf(command: KerfCommand, word: string): Option | undefined {
  return command.options.find(({ long, short, required }) => required && (long === word || short === word));
}

function optionsOf(command: KerfCommand): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, description }) => ({ word: long ?? '', about: firstSentence(description) }));
}

function aboutOf(command: { summary(): string; description(): string }): string {
  return command.summary() || firstSentence(command.description());
}

function firstSentence(text: string): string {
  return text.split(/[.;\n]/)[0] ?? '';
}

/** Returns the values of an option or argument: its choices, or names of modules where its flags ask for them. */
function valuesOf(choices: readonly string[] | undefined, flags: string, current: string): Candidate[] {
  if (choices) return choices.map((word) => ({ word, about: '' }));
  const [, kind = ''] = /<([\w-]+)>/.exec(flags) ?? [];
  const modules = ['module', 'modules', 'caller'].includes(kind) ? moduleNames() : [];
  if (kind === 'caller') modules.push('gateway', '*');
  const before = kind === 'modules' ? current.replace(/[^,]*$/, '') : '';
  return modules.map((name) => ({ word: `${before}${name}`, about: '' }));
}

function moduleNames(): string[] {
  const folder = join(root, 'src', 'modules');
  return existsSync(folder) ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'module.json'))) : [];
}

/** Bash splits --via=grpc into three words, and completes the last of them. */
function joinedOptions(words: readonly string[]): string[] {
  const joined = words.filter((word, at) => word !== '=' || !words[at - 1]?.startsWith('--'));
  return words.at(-1) === '=' ? [...joined, ''] : joined;
}
