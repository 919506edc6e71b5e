// The running system as the checks see it, and checks of its modules: readiness, events, sagas.
import type { z } from 'zod';
import {
  type AskedProcess,
  deadLetterRow,
  isAway,
  outboxRow,
  processesAnswer,
  rowsOf,
  sagaRow,
} from '../../src/shared/control/admin-contract/index.ts';
import { ask } from '../operator.ts';
import { error, type Finding, ok, warning } from './check.ts';
import { plural, span } from './units.ts';

/** The answer of the running system, and functions that ask it for more. */
export interface System {
  readonly processes: readonly AskedProcess[];
  readonly readiness: z.output<typeof processesAnswer>['readiness'];
  rows<S extends z.ZodObject>(row: S, path: string): Promise<z.output<ReturnType<typeof rowsOf<S>>>['items']>;
}

/** Asks the running system. Rejects with the reason when it does not answer. */
export async function readSystem(): Promise<System> {
  const { items: processes, readiness } = await ask(processesAnswer, 'GET', '/ops/processes');
  return {
    processes,
    readiness,
    rows: async (row, path) => (await ask(rowsOf(row), 'GET', path)).items,
  };
}

type Readiness = System['readiness'];

const cures: Record<keyof Readiness, [what: string, todo: string]> = {
  away: ['cannot be reached', 'see the log of its process; npx kerf topology shows where it should be'],
  starting: [
    'has a process that is starting, or starts again and again',
    'if it stays so, see the log: it says why the process ends',
  ],
  unresponsive: [
    'has a process whose event loop does not turn',
    'see what blocks it (or continue it: kill -CONT); end it, and the home process starts another',
  ],
  unwritable: ['cannot write', 'make room on the disk, or restore the file'],
  draining: ['is served only by a process that is about to stop', 'start another instance'],
  undelivered: ['could not deliver an event for a minute', 'see the check "outbox" for the recipient'],
};

/** Says what each module lacks. */
export function readiness({ readiness: said }: Pick<System, 'readiness'>): Finding[] {
  const findings = (Object.keys(cures) as (keyof Readiness)[]).flatMap((lack) => {
    const [what, todo] = cures[lack];
    const list = said[lack];
    const named = Array.isArray(list)
      ? list.map((module) => [module, what])
      : Object.entries(list).map(([module, why]) => [module, `${what}: ${why}`]);
    const level = lack === 'draining' || lack === 'starting' || lack === 'undelivered' ? warning : error;
    return named.map((each) => level(each.join(' '), todo));
  });
  return findings.length > 0 ? findings : [ok('every module can be reached, and stores data')];
}

const longMs = 60_000;
const tooLongMs = 60 * 60_000;

/** Says how many events wait in outboxes, and since when. */
export async function outbox({ processes, rows }: Pick<System, 'processes' | 'rows'>): Promise<Finding[]> {
  const answers = await rows(outboxRow, '/ops/outbox');
  const waiting = answers
    .flatMap((row) => (isWaiting(row) ? [Number(row.count)] : []))
    .reduce((sum, count) => sum + count, 0);
  const late = oldestEvents(processes).filter(({ waitedMs }) => waitedMs > longMs);
  const findings = late.map(({ module, recipient, waitedMs }) => {
    const said = `an event of ${module} has waited for ${recipient} for ${span(waitedMs)}`;
    const todo = `see whether ${recipient} is away, or refuses the event; the log of ${module} has the error`;
    return waitedMs > tooLongMs ? error(said, todo) : warning(said, todo);
  });
  if (findings.length > 0) return findings;
  return [ok(`${plural(waiting, 'event')} in outboxes, none for over a minute${exceptFor(answers)}`)];
}

/** Returns the oldest event in the outbox of each module for each recipient. Several processes may tell of the same one. */
function oldestEvents(processes: System['processes']) {
  const ages = processes
    .flatMap(({ facts }) => facts?.modules ?? [])
    .flatMap(({ name, oldestEvents }) => oldestEvents.map((oldest) => ({ module: name, ...oldest })))
    .sort((one, other) => one.waitedMs - other.waitedMs);
  return [...new Map(ages.map((oldest) => [`${oldest.module} ${oldest.recipient}`, oldest])).values()];
}

/** Whether a row counts events that wait for a recipient. */
function isWaiting(row: object): row is { count: number } {
  return 'recipient' in row && 'state' in row && row.state !== 'dead';
}

const maxLetters = 100;

/** Says whether events became dead letters. */
export async function deadLetters({ rows }: Pick<System, 'rows'>): Promise<Finding[]> {
  const answers = await rows(deadLetterRow, `/ops/dead-letters?limit=${maxLetters}`);
  const dead = answers.filter(({ state }) => state === 'dead');
  const todo = 'npx kerf dead-letters list; correct the cause, then replay or discard them';
  return perModule(dead, 'dead letter', todo, exceptFor(answers));
}

/** Says whether sagas need a person. */
export async function stuckSagas({ rows }: Pick<System, 'rows'>): Promise<Finding[]> {
  const answers = await rows(sagaRow, '/ops/sagas?state=stuck');
  const stuck = answers.filter(({ state }) => state === 'stuck');
  const todo = 'npx kerf sagas list --state stuck; correct the cause, then resume or settle them';
  return perModule(stuck, 'stuck saga', todo, exceptFor(answers));
}

function perModule(
  items: readonly { readonly module: string }[],
  what: string,
  todo: string,
  except: string,
): Finding[] {
  if (items.length === 0) return [ok(`no ${what}${except}`)];
  const modules = Map.groupBy(items, ({ module }) => module);
  return [...modules].map(([module, { length }]) => {
    const least = length >= maxLetters ? 'at least ' : '';
    return warning(`${module}: ${least}${plural(length, what)}`, todo);
  });
}

/** Names the modules that could not be asked. Another check reports them as errors. */
function exceptFor(rows: readonly object[]): string {
  const away = rows.filter(isAway).map(({ module }) => module);
  return away.length > 0 ? `; not asked: ${away.join(', ')}` : '';
}
