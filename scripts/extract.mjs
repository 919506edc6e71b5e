// npm run extract: takes a module out of the home process while the system serves.
import { moveModule } from './move/move.mjs';
import { tryOut } from './move/try-out.mjs';
import { misused, reaches, readWords } from './operator.mjs';

const help = `Usage: npm run extract -- <module> [--via http|grpc|queue] [--instances n | --port n] [--mirror s] [--canary 5%] [--for-now] [--json]

Takes a module out of the running home process into processes of its own, or changes how those are reached and how many there
are, while it serves: no request fails, no event is lost or comes twice. A step that fails, and Ctrl-C, take everything back.

  --via        how it is reached from then on: http (the default), grpc, or queue, by request and reply over the broker of BUS
  --instances  how many processes run it (1)
  --port       where its only process listens; a free port otherwise
  --mirror     first, for so many seconds, ask the new copies every query as well, and go back if an answer differs
  --canary     first send them this share of the calls, then 25, 50 and 100 %, and go back if they are worse:
    --stage          seconds that each share lasts (10)
    --max-failures   how many more of their calls may fail (1%)
    --max-slower     how many milliseconds more they may take, as the 95th percentile (50)
  --for-now    until the next start only; otherwise topology.yaml is changed
  --json       a line of JSON for each step, and the report at the end

npm run absorb is the way back.

${reaches}`;

const { values, positionals } = readWords('extract', help, {
  via: { type: 'string', default: 'http' },
  instances: { type: 'string', default: '1' },
  port: { type: 'string' },
  mirror: { type: 'string' },
  canary: { type: 'string' },
  stage: { type: 'string' },
  'max-failures': { type: 'string' },
  'max-slower': { type: 'string' },
  'for-now': { type: 'boolean', default: false },
});
const [module, ...more] = positionals;
if (!module) misused('extract', 'say which module, such as payments');
if (more.length > 0) misused('extract', `unknown word "${more[0]}"`);
if (!['http', 'grpc', 'queue'].includes(values.via))
  misused('extract', `--via is http, grpc or queue, not "${values.via}"`);

const parameters = [
  values.instances === '1' ? [] : `instances=${encodeURIComponent(values.instances)}`,
  values.port === undefined ? [] : `port=${encodeURIComponent(values.port)}`,
].flat();
const placement = parameters.length === 0 ? values.via : `${values.via}?${parameters.join('&')}`;
await moveModule(module, { placement, forNow: values['for-now'], ...tryOut('extract', values) }, values);
