// npm run dead-letters: lets operators list, replay and discard dead letters.
import type { z } from 'zod';
import { deadLetterRow, deadLetterSchema, decidedRow } from '../src/shared/control/admin-contract/index.ts';
import { ask, askAll, printColumns, reaches, tell } from './operator.ts';
import { asJson, misused, readWords, text } from './words.ts';

type Row = z.output<typeof deadLetterRow>;

const help = `Usage: npm run dead-letters -- list    [filters] [--json]
       npm run dead-letters -- show    <id> [--json]
       npm run dead-letters -- replay  <id> | filters | --all [--json]
       npm run dead-letters -- discard <id> | filters | --all --reason "…" [--json]

  list     shows the 100 oldest dead letters of each module, with the reason
  show     shows one with its event and its history
  replay   tries the event again; an event that has taken effect has no second effect
  discard  drops it; Kerf keeps the reason and the history for seven days

Filters; a dead letter must match all of them:
  --module  the module that failed to process the event, or to deliver it
  --type    the type of the event, such as orders.order-confirmed.v1
  --key     the key of the event, such as the id of the order
  --error   words of the last error
  --all     every dead letter

${reaches}`;

const { values, positionals } = readWords(
  'dead-letters',
  help,
  { ...asJson, module: text, type: text, key: text, error: text, reason: text, all: { type: 'boolean' } },
  2,
);
const [action, id] = positionals;
const filter = Object.fromEntries(
  (['module', 'type', 'key', 'error'] as const).flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [[name, value]];
  }),
);
const isFiltered = Object.keys(filter).length > 0;
const path = '/ops/dead-letters';

const actions = new Map([
  ['list', list],
  ['show', async () => tell(values, await ask(deadLetterSchema, 'GET', one()), printLetter)],
  ['replay', () => decide('replay', 'tried again', {})],
  ['discard', discard],
]);
const act = actions.get(action ?? '') ?? misuse(`name an action: ${[...actions.keys()].join(', ')}`);
if (action === 'list' && id) misuse(`unknown word "${id}"`);
if (action !== 'discard' && values.reason !== undefined) misuse(`${action} takes no --reason`);
if (values.all && (id || isFiltered)) misuse('--all leaves nothing to choose');
if (id && isFiltered) misuse('say an id or filters, not both');
await act();

async function list(): Promise<void> {
  const { items, warn } = await askAll(deadLetterRow, 'GET', `${path}?${new URLSearchParams(filter)}`);
  tell(values, { items }, printList);
  warn();
}

async function discard(): Promise<void> {
  if (!values.reason) misuse('add --reason "…"; Kerf keeps it with the history');
  await decide('discard', 'discarded', { reason: values.reason });
}

async function decide(what: 'replay' | 'discard', done: string, decision: { reason?: string }): Promise<void> {
  if (id) {
    const letter = await ask(deadLetterSchema, 'POST', `${one()}/${what}`, decision);
    return tell(values, letter, () => console.log(`${id}  ${done}`));
  }
  if (!isFiltered && !values.all) misuse('select dead letters: an id, filters, or --all');
  const { items, warn } = await askAll(decidedRow, 'POST', `${path}/${what}`, { ...filter, ...decision });
  tell(values, { items }, () => {
    if (items.length === 0) console.log('there is none that fits');
    printColumns(items.map(({ module, count }) => [module, `${count} ${done}`]));
  });
  warn();
}

function one(): string {
  if (!id) misuse(`name the id to ${action}, as list shows it`);
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

function misuse(why: string): never {
  misused('dead-letters', why);
}
