// npm run faults: makes calls in the running system slow, failing, lost or duplicate, for a limited time.
import type { z } from 'zod';
import { faultAnswer, faultOrderSchema } from '../src/shared/control/admin-contract/index.ts';
import { optionFor, readNumber } from './numbers.ts';
import { ask, type Problem, printColumns, reaches, tell } from './operator.ts';
import { fail } from './setup.mjs';
import { asJson, misused, readWords, text } from './words.ts';

type Fault = z.output<typeof faultAnswer>['items'][number];
/** An order whose `inside` the running system validates. */
type Order = Omit<z.input<typeof faultOrderSchema>, 'inside'> & { readonly inside?: string | undefined };

const help = `Usage: npm run faults -- list  [--json]
       npm run faults -- put   <caller> <operation> [--latency ms] [--jitter ms] [--error code] [--lose call|answer] [--double]
                               [--inside leak|block|crash]
                               [--share 0.1] [--for seconds] [--json]
       npm run faults -- clear [<caller> <operation>] [--json]

  list      shows the faults that are on
  put       injects a fault into the calls from a caller to an operation. The caller is a module, "gateway" or "*"; the operation is
            payments.authorize, "payments.*" or "*". It replaces the fault of the same caller and operation
  --latency, --jitter   the delay of a call, and the maximum of a random extra delay: milliseconds, 0 to 60000
  --error   refuses the call with a code such as unavailable; it never arrives
  --lose    loses the call, or its answer after the call has taken effect
  --double  sends the call twice, with one idempotency key
  --inside  each call harms the process that serves it: leak keeps 64 MiB (and ends the process at 512), block stops its event loop for
            100 ms, crash kills it. With the caller "gateway", so does each call by which the module serves a public request itself
  --share   the share of the calls that the fault affects, 0 to 1 (1: all)
  --for     the duration in seconds, up to 3600 (60)
  clear     ends all faults, or the fault of this caller and operation

Within a process, calls meet faults only where PARITY is strict.

${reaches}`;

const { latencyMs, jitterMs, share, forMs, lose: loses } = faultOrderSchema.shape;
/** Maps each numeric option to its field of the fault. */
const numbers = {
  latency: { field: 'latencyMs', ...optionFor(latencyMs, 'takes a number of whole milliseconds', { isWhole: true }) },
  jitter: { field: 'jitterMs', ...optionFor(jitterMs, 'takes a number of whole milliseconds', { isWhole: true }) },
  share: { field: 'share', ...optionFor(share, 'takes a number') },
  for: { field: 'forMs', ...optionFor(forMs, 'takes a number of seconds', { times: 1_000 }) },
} as const;

const { values, positionals } = readWords(
  'faults',
  help,
  {
    ...asJson,
    ...{ latency: text, jitter: text, error: text, lose: text, inside: text, share: text, for: text },
    double: { type: 'boolean' },
  },
  3,
);
const [action, ...words] = positionals;
const [caller = '', operation = ''] = words;
const path = '/ops/faults';

const actions = new Map([
  ['list', list],
  ['put', put],
  ['clear', clear],
]);
const act = actions.get(action ?? '') ?? misuse(`name an action: ${[...actions.keys()].join(', ')}`);
if (action === 'list' && words.length > 0) misuse(`unknown word "${words[0]}"`);
if (words.length === 1 || (action === 'put' && words.length === 0)) misuse('say the caller and the operation');
if (action !== 'put') {
  const { json: _, ...others } = values;
  const [extra] = Object.keys(others);
  if (extra !== undefined) misuse(`${action} takes no --${extra}`);
}
await act();

async function list(): Promise<void> {
  show(await ask(faultAnswer, 'GET', path));
}

async function put(): Promise<void> {
  const order = orderOf();
  const others = (await active()).filter((each) => !isOnEdge(each));
  await replace([...others.map(again), order]);
}

async function clear(): Promise<void> {
  if (words.length === 0) return replace([]);
  const items = await active();
  const others = items.filter((each) => !isOnEdge(each));
  const edges = items.map((each) => `${each.caller} → ${each.operation}`).join(', ') || 'none';
  if (others.length === items.length) fail(`there is no fault on ${caller} → ${operation}; there are: ${edges}`);
  await replace(others.map(again));
}

function orderOf(): Order {
  const { error, double, inside } = values;
  const [latencyMs, jitterMs, share] = [number('latency'), number('jitter'), number('share')];
  const lose = loses.safeParse(values.lose);
  if (!lose.success) misuse(`--lose takes call or answer, not "${values.lose}"`);
  if (!latencyMs && !jitterMs && error === undefined && !lose.data && !double && !inside)
    misuse('say what is to happen: --latency, --jitter, --error, --lose, --double or --inside');
  const forMs = number('for') ?? 60_000;
  return { caller, operation, latencyMs, jitterMs, error, lose: lose.data, double, inside, share, forMs };
}

function number(name: keyof typeof numbers): number | undefined {
  return readNumber('faults', name, values[name], numbers[name]);
}

async function active(): Promise<Fault[]> {
  return (await ask(faultAnswer, 'GET', path)).items;
}

function isOnEdge(each: Order | Fault): boolean {
  return each.caller === caller && each.operation === operation;
}

async function replace(faults: Order[]): Promise<void> {
  show(await ask(faultAnswer, 'PUT', path, { faults }, (problem) => explain(problem, faults)));
}

/** Explains a refused fault in the words of the command line; names an active fault if the system now refuses that one. */
function explain({ issues: [issue] = [] }: Problem, faults: readonly Order[]): string | undefined {
  const [, at, field = ''] = /^faults\.(\d+)\.(\w+)$/.exec(issue?.path ?? '') ?? [];
  const refused = faults[Number(at)];
  if (!refused || !issue) return undefined;
  if (!isOnEdge(refused)) {
    const edge = `${refused.caller} → ${refused.operation}`;
    return `the fault on ${edge}, which is on: ${issue.message}; first: npm run faults -- clear ${refused.caller} '${refused.operation}'`;
  }
  const [option] = Object.entries(numbers).find(([, number]) => number.field === field) ?? [field];
  const what = ['caller', 'operation'].includes(field) ? `the ${field}` : `--${option}`;
  const given = { ...values, caller, operation }[option as keyof typeof values];
  return `${what} "${given}" is invalid: ${issue.message}`;
}

/** Returns an active fault with its remaining time. */
function again({ until, ...rest }: Fault): Order {
  return { ...rest, forMs: Math.max(1, Date.parse(until) - Date.now()) };
}

function show(answer: z.output<typeof faultAnswer>): void {
  tell(values, answer, ({ items, missed = [] }) => {
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

function misuse(why: string): never {
  misused('faults', why);
}
