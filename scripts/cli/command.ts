// The parser of the command line, with one style for the help and the errors of all commands.
import { Command, CommanderError, type HelpContext, type Option, type ParseOptionsResult } from 'commander';

/** What every command prints when it is called in a wrong way. Exit code 2. */
export class Misuse extends Error {
  /** The command, as it is typed; absent when an action refuses its words. */
  readonly command: string | undefined;

  constructor(why: string, command?: string) {
    super(why);
    this.command = command;
  }
}

/** Ends the command with the mistake in its words. */
export function misuse(why: string): never {
  throw new Misuse(why);
}

/** Returns the words of these options, for a program that reads them itself. */
export function wordsOf(options: Readonly<Record<string, string | boolean>>): string[] {
  return Object.entries(options).map(([name, value]) => {
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? option : `${option}=${value}`;
  });
}

/** Fills a command with its words, options and action. Each file of a command exports one as `define`. */
export type Define = (command: KerfCommand) => void;

/** A command of `kerf`. */
export class KerfCommand extends Command {
  override createCommand(name?: string): KerfCommand {
    return new KerfCommand(name).helpCommand(false);
  }

  override description(): string;
  override description(text: string): this;
  override description(text?: string): this | string {
    return text === undefined ? super.description() : super.description(joined(text));
  }

  /** Adds the option of a command that prints its result as JSON. */
  json(about = 'prints the result as JSON'): this {
    return this.option('--json', about);
  }

  /** Adds paragraphs below the options. Lines that begin with a space stay as they are. */
  note(text: string): this {
    const help = this.createHelp();
    const width = () => this.configureOutput().getOutHelpWidth?.() ?? 80;
    const wrapped = (line: string) => (line.startsWith(' ') ? line : help.boxWrap(line, width()));
    return this.addHelpText('after', () => `\n${joined(text).split('\n').map(wrapped).join('\n')}`);
  }

  /** The command, as it is typed. */
  get path(): string {
    return this.parent ? `${(this.parent as KerfCommand).path} ${this.name()}` : this.name();
  }

  override help(context?: HelpContext | ((text: string) => string)): never {
    if (typeof context === 'object' && context.error)
      throw new Misuse(this.parent ? `name an action: ${this.#actions()}` : 'name a command', this.path);
    this.outputHelp();
    throw new CommanderError(0, 'commander.help', '');
  }

  #actions(): string {
    return this.commands.map((each) => each.name()).join(', ');
  }

  override error(message: string, { code = '' }: { readonly code?: string } = {}): never {
    throw new Misuse(this.#inOwnWords(message, code) ?? inOneLine(message), this.path);
  }

  #inOwnWords(message: string, code: string): string | undefined {
    const expected = this.registeredArguments;
    if (code === 'commander.unknownCommand' && this.parent)
      return `${inOneLine(message).replace('command', 'action')}; there are ${this.#actions()}`;
    if (code === 'commander.excessArguments') return `unknown word "${this.args[expected.length]}"`;
    if (code !== 'commander.missingArgument') return undefined;
    const missing = expected[this.args.length];
    return missing && `missing <${missing.name()}>: ${missing.description}`;
  }

  /** Refuses an option's value that may be an option itself: commander takes it. */
  override parseOptions(words: string[]): ParseOptionsResult {
    for (let at = 0; at < words.length && words[at] !== '--'; at += 1) {
      const option = this.#optionWithValue(words[at] ?? '');
      if (!option) continue;
      const [, value = words[++at]] = /^--[^=]+=(.*)$/s.exec(words[at] ?? '') ?? [];
      this.#refuseValue(option, words[at] ?? '', value);
    }
    return super.parseOptions(words);
  }

  #optionWithValue(word: string): Option | undefined {
    const name = word.replace(/=.*$/s, '');
    return this.options.find(({ required, long, short }) => required && (long === name || short === word));
  }

  #refuseValue({ flags, long }: Option, word: string, value: string | undefined): void {
    if (value === undefined || value === '') throw new Misuse(`'${flags}' needs its value`, this.path);
    if (word === value && /^-./.test(value))
      throw new Misuse(
        `'${flags}' needs its value, and '${value}' may be an option; write ${long}=${value} if it is the value`,
        this.path,
      );
  }
}

function inOneLine(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\n\(Did/, ' (did')
    .replace(/\. Allowed choices are (.*)\.$/, '; it is one of $1')
    .trim();
}

/** Joins the lines of each paragraph, because the help breaks them anew. */
function joined(text: string): string {
  return text.replace(/(?<=\S)\n(?=\S)/g, ' ');
}
