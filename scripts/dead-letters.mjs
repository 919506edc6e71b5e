// npm run dead-letters: lets operators list, replay and discard dead letters.
import { ask, askAll, misused, printColumns, reaches, readWords, tell } from './operator.mjs';

const help = `Usage: npm run dead-letters -- list    [filters] [--json]
       npm run dead-letters -- show    <id> [--json]
       npm run dead-letters -- replay  <id> | filters | --all [--json]
       npm run dead-letters -- discard <id> | filters | --all --reason "…" [--json]

  list     events that nobody tries any more, and why; of each module the 100 oldest
  show     one with its event and its history
  replay   tries again; what has taken effect does not again
  discard  leaves it at that; the reason is kept with the history for seven days

Filters, of which all that are given must fit:
  --module  the module that could not take the event, or not hand it on
  --type    such as orders.order-confirmed.v1
  --key     by which its order is kept, such as the id of the order
  --error   words of the last error
  --all     every dead letter there is

${reaches}`;

const filters = ['module', 'type', 'key', 'error'];
const asText = { type: 'string' };
const { values, positionals } = readWords('dead-letters', help, {
  ...Object.fromEntries([...filters, 'reason'].map((name) => [name, asText])),
  all: { type: 'boolean' },
});
const [action, id, ...more] = positionals;
const filter = Object.fromEntries(
  filters.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])),
);
const isFiltered = Object.keys(filter).length > 0;
const path = '/ops/dead-letters';

const actions = {
  async list() {
    const { items, warn } = await askAll('GET', `${path}?${new URLSearchParams(filter)}`);
    tell(values, { items }, printList);
    warn();
  },
  async show() {
    tell(values, await ask('GET', one()), printLetter);
  },
  replay: () => decide('replay', 'tried again', {}),
  discard() {
    if (!values.reason) misuse('say --reason "…", which is kept with the history');
    return decide('discard', 'discarded', { reason: values.reason });
  },
};

if (!Object.hasOwn(actions, action ?? '')) misuse(`name an action: ${Object.keys(actions).join(', ')}`);
if (more.length > 0) misuse(`unknown word "${more[0]}"`);
if (action === 'list' && id) misuse(`unknown word "${id}"`);
if (action !== 'discard' && values.reason !== undefined) misuse(`${action} takes no --reason`);
if (values.all && (id || isFiltered)) misuse('--all leaves nothing to choose');
if (id && isFiltered) misuse('say an id or filters, not both');
await actions[action]();

async function decide(what, done, decision) {
  if (id) return tell(values, await ask('POST', `${one()}/${what}`, decision), () => console.log(`${id}  ${done}`));
  if (!isFiltered && !values.all) misuse('say which: an id, filters, or --all');
  const { items, warn } = await askAll('POST', `${path}/${what}`, { ...filter, ...decision });
  tell(values, { items }, () => {
    if (items.length === 0) console.log('there is none that fits');
    printColumns(items.map(({ module, count }) => [module, `${count} ${done}`]));
  });
  warn();
}

function one() {
  if (!id) misuse(`name the id to ${action}, as list shows it`);
  return `${path}/${encodeURIComponent(id)}`;
}

function printList({ items }) {
  if (items.length === 0) console.log('there are no dead letters');
  printColumns(items.map((item) => [item.id, subject(item), item.key, item.history.at(-1).at, item.lastError]));
}

function printLetter({ history, event, ...letter }) {
  console.log(`${letter.id}  ${letter.state}`);
  printColumns(history.map(({ at, what, why = '' }) => [at, what, why]));
  console.log(`\n${subject(letter)}\n${typeof event === 'string' ? event : JSON.stringify(event, null, 2)}`);
}

function subject({ type, recipient }) {
  return recipient ? `${type} → ${recipient}` : type;
}

function misuse(why) {
  misused('dead-letters', why);
}
