// npm run sagas: lets operators list, resume and settle sagas.
import { ask, askAll, misused, printColumns, reaches, readWords, tell } from './operator.mjs';

const help = `Usage: npm run sagas -- list   [--state stuck] [--json]
       npm run sagas -- show   <id> [--json]
       npm run sagas -- resume <id> [--json]
       npm run sagas -- settle <id> --as done|compensated --note "…" [--json]

  list    of each module the 100 latest; --state running, compensating, done, compensated or stuck
  show    one with its history
  resume  has one that is stuck go on where it stands
  settle  ends one that is stuck by your word, once you have put right what it could not; no other module is called

${reaches}`;

const { values, positionals } = readWords('sagas', help, {
  state: { type: 'string' },
  as: { type: 'string' },
  note: { type: 'string' },
});
const [action, id, ...more] = positionals;

const actions = {
  async list() {
    const { items, warn } = await askAll(
      'GET',
      `/ops/sagas?${new URLSearchParams(values.state && { state: values.state })}`,
    );
    tell(values, { items }, printList);
    warn();
  },
  show: async () => tell(values, await ask('GET', one()), printSaga),
  resume: async () => tell(values, await ask('POST', `${one()}/resume`), () => console.log(`${id}  goes on`)),
  async settle() {
    const path = `${one()}/settle`;
    if (!values.as || !values.note) misuse('say --as done or --as compensated, and --note "…" for who reads it later');
    const settled = await ask('POST', path, { outcome: values.as, note: values.note });
    tell(values, settled, ({ state }) => console.log(`${id}  ${state}`));
  },
};

if (!Object.hasOwn(actions, action ?? '')) misuse(`name an action: ${Object.keys(actions).join(', ')}`);
const [unknown] = action === 'list' ? positionals.slice(1) : more;
if (unknown) misuse(`unknown word "${unknown}"`);
if (action !== 'list' && values.state !== undefined) misuse(`${action} takes no --state`);
if (action !== 'settle' && (values.as ?? values.note) !== undefined) misuse(`${action} takes no --as and no --note`);
await actions[action]();

function one() {
  if (!id) misuse(`name the id to ${action}, as list shows it`);
  return `/ops/sagas/${encodeURIComponent(id)}`;
}

function printList({ items }) {
  if (items.length === 0) console.log(`there are no sagas${values.state ? ` that are ${values.state}` : ''}`);
  printColumns(items.map((saga) => [saga.id, kind(saga), saga.state, saga.updatedAt, saga.lastError ?? '']));
}

function printSaga({ history, ...saga }) {
  console.log(`${saga.id}  ${kind(saga)}  ${saga.state}${saga.reason ? ` (${saga.reason})` : ''}`);
  printColumns(history.map(happening));
}

function happening({ at, step, what, error, times, note }) {
  return [at, [step, what, times && `${times} times`].filter(Boolean).join(' '), error ?? note ?? ''];
}

function kind({ name, version }) {
  return `${name}.v${version}`;
}

function misuse(why) {
  misused('sagas', why);
}
