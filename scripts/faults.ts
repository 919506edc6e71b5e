// kerf faults: makes calls in the running system slow, failing, lost or duplicate, for a limited time.
import type { z } from 'zod';
import { faultAnswer, faultOrderSchema } from '../src/shared/control/admin-contract/index.ts';
import { type Define, misuse } from './cli/command.ts';
import { optionFor, readNumber } from './numbers.ts';
import { ask, type Problem, printColumns, type ResultOptions, reaches, tell } from './operator.ts';
import { fail } from './setup.mjs';

type Fault = z.output<typeof faultAnswer>['items'][number];
/** An order whose `error` and `inside` the running system validates. */
type Order = Omit<z.input<typeof faultOrderSchema>, 'inside'> & { readonly inside?: string | undefined };
/** The calls that a fault is for. */
type Edge = Pick<Order, 'caller' | 'operation'>;

const { latencyMs, jitterMs, share, forMs, lose: loses } = faultOrderSchema.shape;
/** Maps each numeric option to its field of the fault. */
const numbers = {
  latency: { field: 'latencyMs', ...optionFor(latencyMs, 'takes a number of whole milliseconds', { isWhole: true }) },
  jitter: { field: 'jitterMs', ...optionFor(jitterMs, 'takes a number of whole milliseconds', { isWhole: true }) },
  share: { field: 'share', ...optionFor(share, 'takes a number') },
  for: { field: 'forMs', ...optionFor(forMs, 'takes a number of seconds', { times: 1_000 }) },
} as const;

interface PutOptions extends ResultOptions {
  readonly latency?: string;
  readonly jitter?: string;
  readonly share?: string;
  readonly for?: string;
  readonly error?: string;
  readonly lose?: string;
  readonly inside?: string;
  readonly double?: true;
}

export const define: Define = (command) => {
  command
    .description(`Makes calls in the running system slow, failing, lost or duplicate, for a limited time. Within a process, calls meet faults
only where PARITY is strict.`)
    .note(reaches);
  command.command('list').description('Shows the faults that are on.').json().action(list);
  command
    .command('put')
    .description(
      'Injects a fault into the calls from a caller to an operation. It replaces the fault of the same caller and operation.',
    )
    .argument('<caller>', 'a module, "gateway" or "*"')
    .argument('<operation>', 'payments.authorize, "payments.*" or "*"')
    .option('--latency <ms>', 'the delay of a call: milliseconds, 0 to 60000')
    .option('--jitter <ms>', 'the maximum of a random extra delay: milliseconds, 0 to 60000')
    .option('--error <code>', 'refuses the call with a code such as unavailable; it never arrives')
    .option('--lose <what>', 'loses the call, or its answer after the call has taken effect: call or answer')
    .option('--double', 'sends the call twice, with one idempotency key')
    .option(
      '--inside <harm>',
      'each call harms the process that serves it: leak keeps 64 MiB (and ends the process at 512), block stops its event loop for 100 ms, crash kills it. With the caller "gateway", so does each call by which the module serves a public request itself',
    )
    .option('--share <share>', 'the share of the calls that the fault affects, 0 to 1 (1: all)')
    .option('--for <seconds>', 'the duration, up to 3600 (60)')
    .json()
    .action(put);
  command
    .command('clear')
    .description('Ends all faults, or the fault of this caller and operation.')
    .argument('[caller]', 'as of put')
    .argument('[operation]', 'as of put')
    .json()
    .action(clear);
};

const path = '/ops/faults';

async function list(options: ResultOptions): Promise<void> {
  show(await ask(faultAnswer, 'GET', path), options);
}

async function put(caller: string, operation: string, options: PutOptions): Promise<void> {
  const order = orderOf({ caller, operation }, options);
  const others = (await active()).filter((each) => !isSameEdge(each, order));
  const faults = [...others.map(again), order];
  const explained = (problem: Problem) => explain(problem, faults, order, options);
  show(await ask(faultAnswer, 'PUT', path, { faults }, explained), options);
}

async function clear(caller: string | undefined, operation: string | undefined, options: ResultOptions): Promise<void> {
  const left =
    caller === undefined
      ? []
      : await without({ caller, operation: operation ?? misuse('say the caller and the operation') });
  show(await ask(faultAnswer, 'PUT', path, { faults: left }), options);
}

/** Resolves with the active faults but the one on this edge. Fails when there is none. */
async function without(edge: Edge): Promise<Order[]> {
  const items = await active();
  const others = items.filter((each) => !isSameEdge(each, edge));
  const edges = items.map(named).join(', ') || 'none';
  if (others.length === items.length) fail(`there is no fault on ${named(edge)}; there are: ${edges}`);
  return others.map(again);
}

function orderOf(edge: Edge, options: PutOptions): Order {
  const { error, double, inside } = options;
  const number = (name: keyof typeof numbers) => readNumber(name, options[name], numbers[name]);
  const [latencyMs, jitterMs, share] = [number('latency'), number('jitter'), number('share')];
  const lose = loses.safeParse(options.lose);
  if (!lose.success) misuse(`--lose takes call or answer, not "${options.lose}"`);
  if (!latencyMs && !jitterMs && error === undefined && !lose.data && !double && !inside)
    misuse('say what is to happen: --latency, --jitter, --error, --lose, --double or --inside');
  const forMs = number('for') ?? 60_000;
  return { ...edge, latencyMs, jitterMs, error, lose: lose.data, double, inside, share, forMs };
}

async function active(): Promise<Fault[]> {
  return (await ask(faultAnswer, 'GET', path)).items;
}

function isSameEdge(one: Edge, other: Edge): boolean {
  return one.caller === other.caller && one.operation === other.operation;
}

function named({ caller, operation }: Edge): string {
  return `${caller} → ${operation}`;
}

/** Explains a refused fault in the words of the command line; names an active fault if the system now refuses that one. */
function explain(
  { issues: [issue] = [] }: Problem,
  faults: readonly Order[],
  order: Order,
  options: PutOptions,
): string | undefined {
  const [, at, field = ''] = /^faults\.(\d+)\.(\w+)$/.exec(issue?.path ?? '') ?? [];
  const refused = faults[Number(at)];
  if (!refused || !issue) return undefined;
  if (!isSameEdge(refused, order))
    return `the fault on ${named(refused)}, which is on: ${issue.message}; first: npx kerf faults clear ${refused.caller} '${refused.operation}'`;
  const [option] = Object.entries(numbers).find(([, number]) => number.field === field) ?? [field];
  const what = ['caller', 'operation'].includes(field) ? `the ${field}` : `--${option}`;
  const given = { ...options, caller: order.caller, operation: order.operation }[
    option as keyof PutOptions | keyof Edge
  ];
  return `${what} "${given}" is invalid: ${issue.message}`;
}

/** Returns an active fault with its remaining time. */
function again({ until, ...rest }: Fault): Order {
  return { ...rest, forMs: Math.max(1, Date.parse(until) - Date.now()) };
}

function show(answer: z.output<typeof faultAnswer>, options: ResultOptions): void {
  tell(options, answer, ({ items, missed = [] }) => {
    if (items.length === 0) console.log('there are no faults');
    printColumns(items.map((item) => [item.caller, '→', item.operation, what(item), `until ${item.until}`]));
    if (missed.length > 0) console.log(`not told, since they cannot be reached: ${missed.join(', ')}`);
  });
}

function what({ latencyMs, jitterMs, error, lose, double, inside, share }: Fault): string {
  const parts = [
    latencyMs && `${latencyMs} ms late`,
    jitterMs && `up to ${jitterMs} ms more`,
    error && `refused as ${error}`,
    lose && `${lose} lost`,
    double && 'twice',
    inside && `${inside}s its process`,
    share < 1 && `${share * 100} % of the calls`,
  ];
  return parts.filter(Boolean).join(', ');
}
