// kerf services: runs test servers on this machine: brokers, a database, and servers of traces, metrics and logs.
import { join } from 'node:path';
import type { Define } from './cli/command.ts';
import type { ResultOptions } from './operator.ts';
import { kinds, names, programs, type ServerName } from './services/index.ts';
import { Instance } from './services/instance.ts';
import type { Kind, Program } from './services/kind.ts';
import { fail, messageOf, root } from './setup.mjs';

const allNames = [...names, ...Object.keys(programs)];
const servers = Object.values(kinds);
const builtFromSource = servers.filter(({ buildMinutes }) => buildMinutes).map(({ name }) => name);

const actions = {
  up: { about: 'Installs what is missing, starts the servers, and leaves them running.', run: up },
  down: { about: 'Stops them and removes their data.', run: (instance: Instance) => instance.stop() },
  restart: {
    about: 'Stops and starts them; their data stays.',
    run: (instance: Instance) => instance.halt().then(() => up(instance)),
  },
  status: { about: 'Shows which servers answer, and their addresses.', run: async () => {} },
};

export const define: Define = (command) => {
  command
    .description(`Runs test servers on this machine: brokers, a database, and servers of traces, metrics and logs.

The names are ${allNames.join(', ')}. Without names, up starts all servers that install in seconds. ${builtFromSource.join(', ')} are
built from source, in minutes: name them once; from then on, up without names starts them too. rsyslog is only installed: tests run it
themselves.

They listen on 127.0.0.1 only. Data and logs are in .services/, programs in ~/.cache/kerf/services/. compose.yaml gives most of them
with Docker.`)
    .note(`Tests take servers elsewhere from the environment:
${servers.map(({ name, variable }) => `  ${variable.padEnd(25)}  ${name}`).join('\n')}`);
  for (const [word, { about }] of Object.entries(actions))
    command
      .command(word)
      .description(about)
      .addArgument(command.createArgument('[name...]', 'the servers').choices(allNames))
      .json()
      .action((asked: readonly string[] = [], options: ResultOptions) => act(word as Action, asked, options));
};

type Action = keyof typeof actions;

interface Report {
  readonly name: ServerName;
  readonly up: boolean;
  readonly url: string;
  readonly pid: number | null;
  readonly error?: string;
}

async function act(action: Action, asked: readonly string[], { json }: ResultOptions): Promise<void> {
  const starts = action === 'up' || action === 'restart';
  const isMeant = (program: Program) =>
    asked.length > 0 ? asked.includes(program.name) : !starts || !program.buildMinutes || program.installed();
  const reports = await Promise.all(servers.filter(isMeant).map((kind) => actOn(kind, action)));
  const helpers = await Promise.all(
    Object.values(programs)
      .filter(isMeant)
      .map((program) => actOnProgram(program, starts)),
  );
  if (json) console.log(JSON.stringify(reports));
  else for (const report of [...reports, ...helpers]) if (!report.error) console.log(line(report));
  const failed = [...reports, ...helpers].flatMap(({ error }) => error ?? []);
  if (failed.length > 0) fail(failed.join('\nkerf: '));
}

async function actOn(kind: Kind, action: Action): Promise<Report> {
  const { name, port } = kind;
  const instance = new Instance(kind, { port, folder: join(root, '.services', name) });
  const error = await actions[action].run(instance).then(() => undefined, messageOf);
  const isUp = await instance.answers();
  return { name, up: isUp, url: kind.url(port), pid: instance.pid ?? null, ...(error && { error }) };
}

async function actOnProgram(program: Program, starts: boolean) {
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
