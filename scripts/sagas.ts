// kerf sagas: lets operators list, resume and settle sagas.
import type { z } from 'zod';
import { sagaAnswer, sagaRow, sagaStates } from '../src/shared/control/admin-contract/index.ts';
import type { Define } from './cli/command.ts';
import { ask, askAll, printColumns, type ResultOptions, reaches, tell } from './operator.ts';

type Row = z.output<typeof sagaRow>;
type Saga = z.output<typeof sagaAnswer>;

interface ListOptions extends ResultOptions {
  readonly state?: string;
}
interface SettleOptions extends ResultOptions {
  readonly as: string;
  readonly note: string;
}

export const define: Define = (command) => {
  command.description('Lists, resumes and settles sagas.').note(reaches);
  command
    .command('list')
    .description('Shows the 100 latest sagas of each module.')
    .addOption(command.createOption('--state <state>', 'only sagas in this state').choices(sagaStates))
    .json()
    .action(list);
  command
    .command('show')
    .description('Shows one saga with its history.')
    .argument('<id>', 'the id, as list shows it')
    .json()
    .action(async (id: string, options: ResultOptions) =>
      tell(options, await ask(sagaAnswer, 'GET', at(id)), printSaga),
    );
  command
    .command('resume')
    .description('Continues a stuck saga at the step where it stopped.')
    .argument('<id>', 'the id, as list shows it')
    .json()
    .action(async (id: string, options: ResultOptions) =>
      tell(options, await ask(sagaAnswer, 'POST', `${at(id)}/resume`), () => console.log(`${id}  goes on`)),
    );
  command
    .command('settle')
    .description('Ends a stuck saga after you have completed its work by hand. Calls no module.')
    .argument('<id>', 'the id, as list shows it')
    .addOption(
      command
        .createOption('--as <outcome>', 'what you completed')
        .choices(['done', 'compensated'])
        .makeOptionMandatory(),
    )
    .requiredOption('--note <text>', 'the reason, for the history')
    .json()
    .action(settle);
};

async function list(options: ListOptions): Promise<void> {
  const { state } = options;
  const query = new URLSearchParams(state && { state });
  const { items, warn } = await askAll(sagaRow, 'GET', `/ops/sagas?${query}`);
  tell(options, { items }, () => printList(items, state));
  warn();
}

async function settle(id: string, options: SettleOptions): Promise<void> {
  const settled = await ask(sagaAnswer, 'POST', `${at(id)}/settle`, { outcome: options.as, note: options.note });
  tell(options, settled, ({ state }) => console.log(`${id}  ${state}`));
}

function at(id: string): string {
  return `/ops/sagas/${encodeURIComponent(id)}`;
}

function printList(items: readonly Row[], state: string | undefined): void {
  if (items.length === 0) console.log(`there are no sagas${state ? ` that are ${state}` : ''}`);
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
