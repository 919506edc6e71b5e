// npm run services: runs test servers on this machine: brokers, a database, and servers of traces, metrics and logs.
import { join } from 'node:path';
import { kinds, names, programs, type ServerName } from './services/index.ts';
import { Instance } from './services/instance.ts';
import type { Kind, Program } from './services/kind.ts';
import { fail, messageOf, root } from './setup.mjs';
import { misused, readWords } from './words.ts';

const allNames = [...names, ...Object.keys(programs)];
const servers = Object.values(kinds);
const builtFromSource = servers.filter(({ buildMinutes }) => buildMinutes).map(({ name }) => name);

const help = `Usage: npm run services -- up|down|restart|status [name …] [--json]

  up       installs what is missing, starts the servers, and leaves them running
  down     stops them and removes their data
  restart  stops and starts them; their data stays
  status   shows which servers answer, and their addresses

The names are ${allNames.join(', ')}.
Without names, up starts all servers that install in seconds. ${builtFromSource.join(', ')} are built from source, in minutes:
name them once; from then on, up without names starts them too. rsyslog is only installed: tests run it themselves.

They listen on 127.0.0.1 only. Data and logs are in .services/, programs in ~/.cache/kerf/services/. compose.yaml gives most of
them with Docker. Tests take servers elsewhere from the environment:
${servers.map(({ name, variable }) => `  ${variable.padEnd(25)}  ${name}`).join('\n')}`;

const actions = new Map<string, (instance: Instance) => Promise<void>>([
  ['up', up],
  ['down', (instance) => instance.stop()],
  ['restart', (instance) => instance.halt().then(() => up(instance))],
  ['status', async () => {}],
]);

interface Report {
  readonly name: ServerName;
  readonly up: boolean;
  readonly url: string;
  readonly pid: number | null;
  readonly error?: string;
}

const { values, positionals } = readWords('services', help, { json: { type: 'boolean' } });
const [word = '', ...asked] = positionals;
const action = actions.get(word) ?? misused('services', 'say up, down, restart or status');
const starts = word === 'up' || word === 'restart';
const unknown = asked.find((name) => !allNames.includes(name));
if (unknown) fail(`unknown server "${unknown}"; there are ${allNames.join(', ')}`);

const reports = await Promise.all(servers.filter(isMeant).map(act));
const helpers = await Promise.all(Object.values(programs).filter(isMeant).map(actOnProgram));
if (values.json) console.log(JSON.stringify(reports));
else for (const report of [...reports, ...helpers]) if (!report.error) console.log(line(report));
const failed = [...reports, ...helpers].flatMap(({ error }) => error ?? []);
if (failed.length > 0) fail(failed.join('\nkerf: '));

function isMeant(program: Program): boolean {
  if (asked.length > 0) return asked.includes(program.name);
  return !starts || !program.buildMinutes || program.installed();
}

async function act(kind: Kind): Promise<Report> {
  const { name, port } = kind;
  const instance = new Instance(kind, { port, folder: join(root, '.services', name) });
  const error = await action(instance).then(() => undefined, messageOf);
  const isUp = await instance.answers();
  return { name, up: isUp, url: kind.url(port), pid: instance.pid ?? null, ...(error && { error }) };
}

async function actOnProgram(program: Program) {
  const error = starts ? await install(program).then(() => undefined, messageOf) : undefined;
  return { name: program.name, installed: program.installed(), error };
}

async function up(instance: Instance): Promise<void> {
  if (await instance.answers()) return;
  await install(instance.kind);
  await instance.start();
}

async function install(program: Program): Promise<void> {
  if (program.installed()) return;
  const { name, buildMinutes } = program;
  const doing = buildMinutes ? `building ${name} (once, about ${buildMinutes} min)` : `installing ${name} (once)`;
  console.error(`kerf: ${doing} …`);
  await program.install();
}

function line(report: Report | Awaited<ReturnType<typeof actOnProgram>>): string {
  return `${report.name.padEnd(14)}  ${'url' in report ? stateOf(report) : report.installed ? 'installed' : 'not installed'}`;
}

function stateOf({ up: isUp, url, pid }: Report): string {
  return isUp ? `up    ${url}  ${pid === null ? '(started elsewhere)' : `(process ${pid})`}` : 'down';
}
