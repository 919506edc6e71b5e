// npm run sagas: lets operators list, resume and settle sagas.
import type { z } from 'zod';
import { sagaAnswer, sagaRow, sagaStates } from '../src/shared/control/admin-contract/index.ts';
import { ask, askAll, printColumns, reaches, tell } from './operator.ts';
import { asJson, misused, readWords, text } from './words.ts';

type Row = z.output<typeof sagaRow>;
type Saga = z.output<typeof sagaAnswer>;

const help = `Usage: npm run sagas -- list   [--state stuck] [--json]
       npm run sagas -- show   <id> [--json]
       npm run sagas -- resume <id> [--json]
       npm run sagas -- settle <id> --as done|compensated --note "…" [--json]

  list    shows the 100 latest sagas of each module; --state ${sagaStates.join(', ')}
  show    shows one with its history
  resume  continues a stuck saga at the step where it stopped
  settle  ends a stuck saga after you have completed its work by hand; calls no module

${reaches}`;

const { values, positionals } = readWords('sagas', help, { ...asJson, state: text, as: text, note: text }, 2);
const [action, id] = positionals;

const actions = new Map([
  ['list', list],
  ['show', async () => tell(values, await ask(sagaAnswer, 'GET', one()), printSaga)],
  [
    'resume',
    async () => tell(values, await ask(sagaAnswer, 'POST', `${one()}/resume`), () => console.log(`${id}  goes on`)),
  ],
  ['settle', settle],
]);
const act = actions.get(action ?? '') ?? misuse(`name an action: ${[...actions.keys()].join(', ')}`);
if (action === 'list' && id !== undefined) misuse(`unknown word "${id}"`);
if (action !== 'list' && values.state !== undefined) misuse(`${action} takes no --state`);
if (action !== 'settle' && (values.as ?? values.note) !== undefined) misuse(`${action} takes no --as and no --note`);
await act();

async function list(): Promise<void> {
  const query = new URLSearchParams(values.state && { state: values.state });
  const { items, warn } = await askAll(sagaRow, 'GET', `/ops/sagas?${query}`);
  tell(values, { items }, printList);
  warn();
}

async function settle(): Promise<void> {
  const path = `${one()}/settle`;
  if (!values.as || !values.note) misuse('add --as done or --as compensated, and --note "…" with the reason');
  const settled = await ask(sagaAnswer, 'POST', path, { outcome: values.as, note: values.note });
  tell(values, settled, ({ state }) => console.log(`${id}  ${state}`));
}

function one(): string {
  if (!id) misuse(`name the id to ${action}, as list shows it`);
  return `/ops/sagas/${encodeURIComponent(id)}`;
}

function printList({ items }: { readonly items: readonly Row[] }): void {
  if (items.length === 0) console.log(`there are no sagas${values.state ? ` that are ${values.state}` : ''}`);
  printColumns(items.map((saga) => [saga.id, kind(saga), saga.state, saga.updatedAt ?? '', saga.lastError ?? '']));
}

function printSaga({ history, ...saga }: Saga): void {
  console.log(`${saga.id}  ${kind(saga)}  ${saga.state}${saga.reason ? ` (${saga.reason})` : ''}`);
  printColumns(history.map(happening));
}

function happening({ at, step, what, error, times, note }: Saga['history'][number]): string[] {
  return [at ?? '', [step, what, times && `${times} times`].filter(Boolean).join(' '), error ?? note ?? ''];
}

function kind({ name, version }: Pick<Row, 'name' | 'version'>): string {
  return `${name}.v${version}`;
}

function misuse(why: string): never {
  misused('sagas', why);
}
