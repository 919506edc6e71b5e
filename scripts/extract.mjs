// npm run extract: takes a module out of the home process while the system serves.
import { moveModule } from './move/move.mjs';
import { tryOut, tryOutHelp, tryOutOptions } from './move/try-out.mjs';
import { misused, reaches, readWords } from './operator.mjs';

const help = `Usage: npm run extract -- <module> [--via http|grpc|queue] [--instances n | --port n] [--mirror s] [--canary 5%] [--for-now] [--json]

Takes a module out of the running home process into processes of its own, or changes how those are reached and how many there
are, while it serves: no request fails, no event is lost or comes twice. A step that fails, and Ctrl-C, take everything back.

  --via        how it is reached from then on: http (the default), grpc, or queue, by request and reply over the broker of BUS
  --instances  how many processes run it (1)
  --port       where its only process listens; a free port otherwise
${tryOutHelp}
  --for-now    until the next start only; otherwise topology.yaml is changed
  --json       a line of JSON for each step, and the report at the end

npm run absorb is the way back.

${reaches}`;

const { values, positionals } = readWords('extract', help, {
  via: { type: 'string', default: 'http' },
  instances: { type: 'string', default: '1' },
  port: { type: 'string' },
  ...tryOutOptions,
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
