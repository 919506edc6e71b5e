// npm run extract: takes a module out of the home process while the system serves.
import {
  isVia,
  maxInstances,
  moduleAnswer,
  type Via,
  viaChoice,
  vias,
} from '../src/shared/control/admin-contract/index.ts';
import { moduleOf, moveModule, pathOf } from './move/move.ts';
import { tryOut, tryOutHelp, tryOutOptions } from './move/try-out.ts';
import { ask, reaches } from './operator.ts';
import { asJson, flag, misused, readWords, text } from './words.ts';

const help = `Usage: npm run extract -- <module> [--via http|grpc|queue] [--instances n | --port n] [--mirror s] [--canary 5%] [--for-now] [--json]

Takes a module out of the running home process into processes of its own, while it serves. For a module that is out, it changes the
transport or the number of processes. No request fails. No event is lost or takes effect twice. When a step fails, or on Ctrl-C, Kerf
undoes the move.

An option that you leave out keeps its value, or its value from the module's last extraction since the start.

  --via        the transport of its calls: http (default), grpc, or queue, which is the broker of BUS
  --instances  the number of its processes (1)
  --port       the port of its only process; free (default) takes any free port
${tryOutHelp}
  --for-now    keeps the change until the next start only, and does not change topology.yaml
  --json       prints a line of JSON for each step, and the report at the end

npm run absorb takes it back.

${reaches}`;

const options = {
  ...asJson,
  via: text,
  instances: text,
  port: text,
  artifact: text,
  ...tryOutOptions,
  'for-now': flag,
} as const;
const { values, positionals } = readWords('extract', help, options, 1);
const module = moduleOf('extract', positionals);
const { via, instances, port } = values;
if (values.artifact !== undefined)
  misused('extract', '--artifact is for npm run replace; extract the module first, then replace its release');
if (via !== undefined && !isVia(via)) misused('extract', `--via is ${viaChoice}, not "${via}"`);
const order = {
  instances: whole(instances, `instances is a whole number, 1 to ${maxInstances}`),
  port: port === 'free' ? null : whole(port, 'port is a number, 1 to 65535, or free'),
  forNow: values['for-now'],
  ...tryOut('extract', values),
};
const saysWhere = via !== undefined || instances !== undefined || port !== undefined;
await moveModule(module, { via: saysWhere ? via : await viaNow(module), ...order }, values);

/** Returns the transport of an order without options: the current one, or the one of the last extraction. */
async function viaNow(module: string): Promise<Via> {
  const { outside } = await ask(moduleAnswer, 'GET', pathOf(module));
  const via = outside?.split('?')[0];
  return isVia(via) ? via : vias[0];
}

/** Reads an option with a whole number. The running system checks the range. */
function whole(text: string | undefined, words: string): number | undefined {
  if (text !== undefined && !/^\d{1,6}$/.test(text)) misused('extract', `--${words}, not "${text}"`);
  return text === undefined ? undefined : Number(text);
}
