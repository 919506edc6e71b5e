// npm run services: real brokers and a real database for tests, on this machine.
import { join } from 'node:path';
import { kinds } from './services/index.mjs';
import { Instance } from './services/instance.mjs';
import { fail, root } from './setup.mjs';

const names = Object.keys(kinds);
const help = `Usage: npm run services -- up|down|restart|status [${names.join(' ')}] [--json]

  up       installs what is missing, starts the servers (without names: all), and leaves them running
  down     stops them and removes their data
  restart  stops and starts them; their data stays
  status   says which answer, and where

They listen on 127.0.0.1 only. Data and logs are in .services/. compose.yaml gives the same set with Docker.
Tests take servers elsewhere from ${Object.values(kinds)
  .map(({ variable }) => variable)
  .join(', ')}.`;

const actions = {
  async up(instance) {
    const { kind } = instance;
    if (await instance.answers()) return;
    if (!kind.installed()) {
      console.error(`kerf: installing ${kind.name} (once) …`);
      await kind.install();
    }
    await instance.start();
  },
  async down(instance) {
    await instance.stop();
  },
  async restart(instance) {
    await instance.halt();
    await actions.up(instance);
  },
  async status() {},
};

const words = process.argv.slice(2);
if (words.includes('--help')) {
  console.log(help);
  process.exit(0);
}
const asJson = words.includes('--json');
const [action, ...asked] = words.filter((word) => word !== '--json');
if (!Object.hasOwn(actions, action ?? '')) fail(`say up, down, restart or status; see npm run services -- --help`);
const unknown = asked.find((name) => !names.includes(name));
if (unknown) fail(`unknown server "${unknown}"; there are ${names.join(', ')}`);

const reports = await Promise.all((asked.length > 0 ? asked : names).map(act));
if (asJson) console.log(JSON.stringify(reports));
else for (const report of reports) if (!report.error) console.log(line(report));
const failed = reports.filter(({ error }) => error);
if (failed.length > 0) fail(failed.map(({ error }) => error).join('\nkerf: '));

async function act(name) {
  const kind = kinds[name];
  const instance = new Instance(kind, { port: kind.port, folder: join(root, '.services', name) });
  const error = await actions[action](instance).then(
    () => undefined,
    (thrown) => thrown.message,
  );
  const up = await instance.answers();
  return { name, up, url: kind.url(kind.port), pid: instance.pid ?? null, ...(error && { error }) };
}

function line({ name, up, url, pid }) {
  const state = up ? `up    ${url}  ${pid === null ? '(started elsewhere)' : `(process ${pid})`}` : 'down';
  return `${name.padEnd(8)}  ${state}`;
}
