// npm run faults: has calls on an edge of the running system be slow, fail, get lost or come twice, for a time.
import { ask, misused, printColumns, reaches, readWords, tell } from './operator.mjs';

const help = `Usage: npm run faults -- list  [--json]
       npm run faults -- put   <caller> <operation> [--latency ms] [--jitter ms] [--error code] [--lose call|answer] [--double]
                               [--share 0.1] [--for seconds] [--json]
       npm run faults -- clear [--json]

  put       on the edge from a module, "gateway" or "*" to an operation: payments.authorize, "payments.*" or "*";
            one that is on for the same edge is replaced
  --latency, --jitter   how long a call is held up, and how much longer at most
  --error   refused with a code such as unavailable, and never arrives
  --lose    lost on its way, or done and its answer lost
  --double  it arrives twice, with one idempotency key
  --share   which part of the calls meets it (1: all)
  --for     how long it is on (60)

${reaches}`;

const asText = { type: 'string' };
const texts = ['latency', 'jitter', 'error', 'lose', 'share', 'for'];
const { values, positionals } = readWords('faults', help, {
  ...Object.fromEntries(texts.map((name) => [name, asText])),
  double: { type: 'boolean' },
});
const [action, ...words] = positionals;

const actions = {
  list: async () => told(await ask('GET', '/ops/faults')),
  clear: async () => told(await ask('PUT', '/ops/faults', { faults: [] })),
  async put() {
    const [caller, operation] = words;
    if (words.length !== 2) misuse('say the caller and the operation');
    const { items } = await ask('GET', '/ops/faults');
    const others = items.filter((each) => each.caller !== caller || each.operation !== operation);
    told(await ask('PUT', '/ops/faults', { faults: [...others.map(again), fault(caller, operation)] }));
  },
};

if (!Object.hasOwn(actions, action ?? '')) misuse(`say ${Object.keys(actions).join(', ')}`);
if (action !== 'put') {
  if (words.length > 0) misuse(`unknown word "${words[0]}"`);
  const extra = Object.keys(values).find((name) => name !== 'json');
  if (extra !== undefined) misuse(`${action} takes no --${extra}`);
}
await actions[action]();

function fault(caller, operation) {
  const { error, lose, double } = values;
  const [latencyMs, jitterMs, share, forS = 60] = ['latency', 'jitter', 'share', 'for'].map(number);
  return defined({ caller, operation, latencyMs, jitterMs, error, lose, double, share, forMs: forS * 1_000 });
}

/** One that is on, for as long as it still has. */
function again({ until, ...rest }) {
  return { ...rest, forMs: Math.max(1, Date.parse(until) - Date.now()) };
}

function number(name) {
  if (values[name] === undefined) return undefined;
  const value = values[name].trim() === '' ? Number.NaN : Number(values[name]);
  if (!Number.isFinite(value) || value < 0) misuse(`--${name} takes a number, not "${values[name]}"`);
  return value;
}

function told(answer) {
  tell(values, answer, ({ items, missed = [] }) => {
    if (items.length === 0) console.log('there are no faults');
    printColumns(items.map((item) => [item.caller, '→', item.operation, what(item), `until ${item.until}`]));
    if (missed.length > 0) console.log(`not told, since they cannot be reached: ${missed.join(', ')}`);
  });
}

function what({ latencyMs, jitterMs, error, lose, double, share }) {
  const parts = [
    latencyMs && `${latencyMs} ms late`,
    jitterMs && `up to ${jitterMs} ms more`,
    error && `refused as ${error}`,
    lose && `${lose} lost`,
    double && 'twice',
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
