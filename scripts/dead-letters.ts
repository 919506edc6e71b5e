// kerf dead-letters: lets operators list, replay and discard dead letters.
import type { z } from 'zod';
import { deadLetterRow, deadLetterSchema, decidedRow } from '../src/shared/control/admin-contract/index.ts';
import { type Define, type KerfCommand, misuse } from './cli/command.ts';
import { ask, askAll, printColumns, type ResultOptions, reaches, tell } from './operator.ts';

type Row = z.output<typeof deadLetterRow>;

const filters = {
  module: ['--module <module>', 'the module that failed to process the event, or to deliver it'],
  type: ['--type <type>', 'the type of the event, such as orders.order-confirmed.v1'],
  key: ['--key <key>', 'the key of the event, such as the id of the order'],
  error: ['--error <words>', 'words of the last error'],
} as const;

type Filter = { readonly [name in keyof typeof filters]?: string };
interface Choice extends Filter, ResultOptions {
  readonly all?: true;
}

export const define: Define = (command) => {
  command
    .description(
      'Lists, replays and discards dead letters: events that a subscriber could not process, or that could not be delivered.',
    )
    .note(reaches);
  filtered(command.command('list'))
    .description('Shows the 100 oldest dead letters of each module, with the reason. They match all filters.')
    .json()
    .action(list);
  command
    .command('show')
    .description('Shows one dead letter with its event and its history.')
    .argument('<id>', 'the id, as list shows it')
    .json()
    .action(async (id: string, options: ResultOptions) =>
      tell(options, await ask(deadLetterSchema, 'GET', at(id)), printLetter),
    );
  filtered(command.command('replay'))
    .description('Tries the event again. An event that has taken effect has no second effect.')
    .argument('[id]', 'the id, as list shows it; or filters, or --all')
    .option('--all', 'every dead letter')
    .json()
    .action((id: string | undefined, choice: Choice) => decide(id, choice, { what: 'replay', done: 'tried again' }));
  filtered(command.command('discard'))
    .description('Drops the event. Kerf keeps the reason and the history for seven days.')
    .argument('[id]', 'the id, as list shows it; or filters, or --all')
    .option('--all', 'every dead letter')
    .requiredOption('--reason <text>', 'why it is dropped; Kerf keeps it with the history')
    .json()
    .action((id: string | undefined, { reason, ...choice }: Choice & { readonly reason: string }) =>
      decide(id, choice, { what: 'discard', done: 'discarded', reason }),
    );
};

function filtered(command: KerfCommand): KerfCommand {
  for (const [flags, about] of Object.values(filters)) command.option(flags, about);
  return command;
}

const path = '/ops/dead-letters';

async function list({ json, ...filter }: Filter & ResultOptions): Promise<void> {
  const { items, warn } = await askAll(deadLetterRow, 'GET', `${path}?${new URLSearchParams({ ...filter })}`);
  tell({ json }, { items }, printList);
  warn();
}

interface Decision {
  readonly what: 'replay' | 'discard';
  /** What the output says of it. */
  readonly done: string;
  readonly reason?: string;
}

async function decide(id: string | undefined, choice: Choice, { what, done, ...decision }: Decision): Promise<void> {
  const { json, all, ...filter } = choice;
  const isFiltered = Object.keys(filter).length > 0;
  if (all && (id || isFiltered)) misuse('--all leaves nothing to choose');
  if (id && isFiltered) misuse('say an id or filters, not both');
  if (id) {
    const letter = await ask(deadLetterSchema, 'POST', `${at(id)}/${what}`, decision);
    return tell({ json }, letter, () => console.log(`${id}  ${done}`));
  }
  if (!isFiltered && !all) misuse('select dead letters: an id, filters, or --all');
  const { items, warn } = await askAll(decidedRow, 'POST', `${path}/${what}`, { ...filter, ...decision });
  tell({ json }, { items }, () => {
    if (items.length === 0) console.log('there is none that fits');
    printColumns(items.map(({ module, count }) => [module, `${count} ${done}`]));
  });
  warn();
}

function at(id: string): string {
  return `${path}/${encodeURIComponent(id)}`;
}

function printList({ items }: { readonly items: readonly Row[] }): void {
  if (items.length === 0) console.log('there are no dead letters');
  printColumns(
    items.map((item) => [item.id, subject(item), item.key, item.history.at(-1)?.at ?? '', item.lastError ?? '']),
  );
}

function printLetter({ history, event, ...letter }: z.output<typeof deadLetterSchema>): void {
  console.log(`${letter.id}  ${letter.state}`);
  printColumns(history.map(({ at, what, why = '' }) => [at, what, why]));
  console.log(`\n${subject(letter)}\n${typeof event === 'string' ? event : JSON.stringify(event, null, 2)}`);
}

function subject({ type, recipient }: Pick<Row, 'type' | 'recipient'>): string {
  return recipient ? `${type} → ${recipient}` : type;
}
