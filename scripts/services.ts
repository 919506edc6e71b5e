// npm run services: runs test servers on this machine: real brokers and a real database.
import { join } from 'node:path';
import { kinds, known, names, type ServerName } from './services/index.ts';
import { Instance } from './services/instance.ts';
import { fail, messageOf, root } from './setup.mjs';
import { misused, readWords } from './words.ts';

const help = `Usage: npm run services -- up|down|restart|status [${names.join(' ')}] [--json]

  up       installs what is missing, starts the servers (without names: all), and leaves them running
  down     stops them and removes their data
  restart  stops and starts them; their data stays
  status   says which answer, and where

They listen on 127.0.0.1 only. Data and logs are in .services/. compose.yaml gives the same set with Docker.
Tests take servers elsewhere from ${names.map((name) => known[name].variable).join(', ')}.`;

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
const unknown = asked.find((name) => !names.some((each) => each === name));
if (unknown) fail(`unknown server "${unknown}"; there are ${names.join(', ')}`);

const reports = await Promise.all(names.filter((name) => asked.length === 0 || asked.includes(name)).map(act));
if (values.json) console.log(JSON.stringify(reports));
else for (const report of reports) if (!report.error) console.log(line(report));
const failed = reports.flatMap(({ error }) => error ?? []);
if (failed.length > 0) fail(failed.join('\nkerf: '));

async function act(name: ServerName): Promise<Report> {
  const kind = kinds[name];
  const instance = new Instance(kind, { port: kind.port, folder: join(root, '.services', name) });
  const error = await action(instance).then(() => undefined, messageOf);
  const isUp = await instance.answers();
  return { name, up: isUp, url: kind.url(kind.port), pid: instance.pid ?? null, ...(error && { error }) };
}

async function up(instance: Instance): Promise<void> {
  const { kind } = instance;
  if (await instance.answers()) return;
  if (!kind.installed()) {
    console.error(`kerf: installing ${kind.name} (once) …`);
    await kind.install();
  }
  await instance.start();
}

function line({ name, up: isUp, url, pid }: Report): string {
  const state = isUp ? `up    ${url}  ${pid === null ? '(started elsewhere)' : `(process ${pid})`}` : 'down';
  return `${name.padEnd(8)}  ${state}`;
}
