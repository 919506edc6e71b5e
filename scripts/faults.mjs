// npm run faults: has calls on an edge of the running system be slow, fail, get lost or come twice, for a time.
import { ask, misused, printColumns, reaches, readWords, tell } from './operator.mjs';
import { fail } from './setup.mjs';

const help = `Usage: npm run faults -- list  [--json]
       npm run faults -- put   <caller> <operation> [--latency ms] [--jitter ms] [--error code] [--lose call|answer] [--double]
                               [--inside leak|block|crash]
                               [--share 0.1] [--for seconds] [--json]
       npm run faults -- clear [<caller> <operation>] [--json]

  put       on the edge from a module, "gateway" or "*" to an operation: payments.authorize, "payments.*" or "*";
            one that is on for the same edge is replaced
  --latency, --jitter   how long a call is held up, and how much longer at most: milliseconds, 0 to 60000
  --error   refused with a code such as unavailable, and never arrives
  --lose    lost on its way, or done and its answer lost
  --double  it arrives twice, with one idempotency key
  --inside  what each call does to the process that serves it: keeps 64 MiB (and ends it at 512), holds it for 100 ms, kills it;
            on the edge from "gateway", also each call of the module to itself, by which it serves public requests
  --share   which part of the calls meets it, 0 to 1 (1: all)
  --for     how long it is on: seconds, up to 3600 (60)
  clear     ends them all, or the one on that edge

Within a process, calls meet faults only where PARITY is strict.

${reaches}`;

const asText = { type: 'string' };
const texts = ['latency', 'jitter', 'error', 'lose', 'inside', 'share', 'for'];
const { values, positionals } = readWords('faults', help, {
  ...Object.fromEntries(texts.map((name) => [name, asText])),
  double: { type: 'boolean' },
});
const [action, ...words] = positionals;
const [caller, operation] = words;

/** For each numeric option: the field of the fault, its unit, its bounds, and the factor from the option to the field. */
const numbers = {
  latency: { field: 'latencyMs', counts: ' of whole milliseconds', least: 0, most: 60_000, whole: true },
  jitter: { field: 'jitterMs', counts: ' of whole milliseconds', least: 0, most: 60_000, whole: true },
  share: { field: 'share', counts: '', least: 0, most: 1 },
  for: { field: 'forMs', counts: ' of seconds', least: 0.001, most: 3_600, times: 1_000 },
};

const actions = {
  list: async () => told(await ask('GET', '/ops/faults')),
  async clear() {
    if (words.length === 0) return told(await ask('PUT', '/ops/faults', { faults: [] }));
    const items = await thoseOn();
    const others = items.filter((each) => !isOnEdge(each));
    const edges = items.map((each) => `${each.caller} → ${each.operation}`).join(', ') || 'none';
    if (others.length === items.length) fail(`there is no fault on ${caller} → ${operation}; there are: ${edges}`);
    return replace(others.map(again));
  },
  async put() {
    const put = fault();
    const others = (await thoseOn()).filter((each) => !isOnEdge(each));
    return replace([...others.map(again), put]);
  },
};

if (!Object.hasOwn(actions, action ?? '')) misuse(`name an action: ${Object.keys(actions).join(', ')}`);
if (action === 'list' && words.length > 0) misuse(`unknown word "${words[0]}"`);
if (words.length > 2) misuse(`unknown word "${words[2]}"`);
if (words.length === 1 || (action === 'put' && words.length === 0)) misuse('say the caller and the operation');
if (action !== 'put') {
  const extra = Object.keys(values).find((name) => name !== 'json');
  if (extra !== undefined) misuse(`${action} takes no --${extra}`);
}
await actions[action]();

function fault() {
  const { error, lose, double, inside } = values;
  const { latencyMs, jitterMs, share, forMs = 60_000 } = Object.fromEntries(Object.keys(numbers).map(number));
  if (lose !== undefined && !['call', 'answer'].includes(lose)) misuse(`--lose takes call or answer, not "${lose}"`);
  if (!latencyMs && !jitterMs && error === undefined && !lose && !double && !inside)
    misuse('say what is to happen: --latency, --jitter, --error, --lose, --double or --inside');
  return defined({ caller, operation, latencyMs, jitterMs, error, lose, double, inside, share, forMs });
}

async function thoseOn() {
  return (await ask('GET', '/ops/faults')).items;
}

function isOnEdge(each) {
  return each.caller === caller && each.operation === operation;
}

async function replace(faults) {
  told(await ask('PUT', '/ops/faults', { faults }, (problem) => explain(problem, faults)));
}

/** Explains a refused fault in the words of the command line; names an active fault if the system now refuses that one. */
function explain(problem, faults) {
  const [issue] = problem?.issues ?? [];
  const [, at, field] = /^faults\.(\d+)\.(\w+)$/.exec(issue?.path ?? '') ?? [];
  const refused = faults[at];
  if (!refused) return undefined;
  if (!isOnEdge(refused)) {
    const edge = `${refused.caller} → ${refused.operation}`;
    return `the fault on ${edge}, which is on: ${issue.message}; first: npm run faults -- clear ${refused.caller} '${refused.operation}'`;
  }
  const option = Object.keys(numbers).find((name) => numbers[name].field === field) ?? field;
  const what = ['caller', 'operation'].includes(field) ? `the ${field}` : `--${option}`;
  return `${what} "${values[option] ?? refused[field]}" is invalid: ${issue.message}`;
}

/** One that is on, for as long as it still has. */
function again({ until, ...rest }) {
  return { ...rest, forMs: Math.max(1, Date.parse(until) - Date.now()) };
}

function number(name) {
  const { field, counts, least, most, whole, times } = numbers[name];
  const text = values[name];
  if (text === undefined) return [field, undefined];
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const fits = value >= least && value <= most && (!whole || Number.isInteger(value));
  if (!fits) misuse(`--${name} takes a number${counts}, ${least} to ${most}, not "${text}"`);
  return [field, times ? Math.round(value * times) : value];
}

function told(answer) {
  tell(values, answer, ({ items, missed = [] }) => {
    if (items.length === 0) console.log('there are no faults');
    printColumns(items.map((item) => [item.caller, '→', item.operation, what(item), `until ${item.until}`]));
    if (missed.length > 0) console.log(`not told, since they cannot be reached: ${missed.join(', ')}`);
  });
}

function what({ latencyMs, jitterMs, error, lose, double, inside, share }) {
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

function defined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function misuse(why) {
  misused('faults', why);
}
