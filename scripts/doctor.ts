// kerf doctor: checks this machine and the running system, and says what to do.
import { styleText } from 'node:util';
import type { Prerequisites } from '../src/shared/control/admin-contract/index.ts';
import type { Define } from './cli/command.ts';
import {
  always,
  type Check,
  inTime,
  makeChecks,
  type NamedFinding,
  ofSettings,
  ofSystem,
  type Subject,
} from './doctor/check.ts';
import { dataFolder, disk, fileSystem } from './doctor/folder.ts';
import { clock, memory, nodeVersion, openFiles, platformPackages } from './doctor/machine.ts';
import { answers, certificates, clocks, disks, load, telemetry, versions } from './doctor/processes.ts';
import { certificateFiles, keyAges, secretFiles } from './doctor/secrets.ts';
import { brokers, listens, ports, readSettings, settings, sources } from './doctor/settings.ts';
import { deadLetters, outbox, readiness, readSystem, stuckSagas } from './doctor/system.ts';
import { plural } from './doctor/units.ts';
import { type ResultOptions, reaches, tell } from './operator.ts';
import { during } from './progress.mjs';
import { build, messageOf } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(`Checks this machine, and the running system if there is one. Prints one line for each finding: ok, warning or error, and
what to do. Ends with 1 if there is an error.`)
    .option('--only <modules>', 'checks the machine for a process that runs these modules alone, separated by commas')
    .json()
    .note(reaches)
    .action(examine);

/** All checks, in the order of the output. */
const checks: readonly Check[] = [
  always('node', () => nodeVersion(process)),
  always('packages', () => platformPackages()),
  always('clock', () => clock()),
  always('open files', () => openFiles()),
  always('memory', ({ settings: read, system }) => memory(system ? 0 : (read?.processes ?? 0))),
  always('settings', settings),
  always('ports', (subject) => ports(subject)),
  ofSettings('data folder', ({ dataDir }) => dataFolder(dataDir)),
  ofSettings('disk', ({ dataDir }) => disk(dataDir)),
  ofSettings('file system', ({ dataDir }) => fileSystem(dataDir)),
  ofSettings('secrets', (read) => secretFiles(read)),
  ofSettings('keys', (read) => keyAges(read)),
  ofSettings('certificates', (read) => certificateFiles(read)),
  ofSettings('brokers', brokers),
  ofSettings('discovery', sources),
  always('system', system),
  ofSystem('processes', ({ processes }) => answers(processes)),
  ofSystem('versions', ({ processes }) => versions(processes)),
  ofSystem('clocks', ({ processes }) => clocks(processes)),
  ofSystem('load', ({ processes }) => load(processes)),
  ofSystem('readiness', readiness),
  ofSystem('outbox', outbox),
  ofSystem('dead letters', deadLetters),
  ofSystem('sagas', stuckSagas),
  ofSystem('disks', ({ processes }) => disks(processes)),
  ofSystem('identities', ({ processes }) => certificates(processes)),
  ofSystem('telemetry', ({ processes }) => telemetry(processes)),
];

const colors = { ok: 'green', warning: 'yellow', error: 'red' } as const;

interface DoctorOptions extends ResultOptions {
  readonly only?: string;
}

async function examine(options: DoctorOptions): Promise<void> {
  build();
  const findings = await during('checking', async () => makeChecks(checks, await subject(options)));
  const failed = findings.some(({ level }) => level === 'error');
  tell(options, { ok: !failed, findings }, print);
  // A check that was too slow must not keep this command.
  process.exit(failed ? 1 : 0);
}

async function subject({ only }: DoctorOptions): Promise<Subject> {
  const read = await readSettings(only === undefined ? [] : ['--only', only]).then(
    (found) => ({ settings: found }),
    (error: unknown) => ({ settings: undefined, whyNoSettings: messageOf(error) }),
  );
  if (only !== undefined) return { ...read, system: undefined };
  useSettings(read.settings);
  if (!(await listens(Number(process.env.INTERNAL_PORT ?? 3001)))) return { ...read, system: undefined };
  return inTime(readSystem).then(
    (found) => ({ ...read, system: found }),
    (error: unknown) => ({ ...read, system: undefined, whyNoSystem: messageOf(error) }),
  );
}

/** Reaches the system by the settings of topology.yaml too: other commands read the environment alone. */
function useSettings(read: Prerequisites | undefined): void {
  const internal = read?.listeners.find(({ setting }) => setting === 'INTERNAL_PORT');
  const named = [
    { setting: 'DATA_DIR', value: read?.dataDir },
    { setting: 'INTERNAL_PORT', value: internal && String(internal.port) },
    ...(read?.files ?? []).map(({ setting, file }) => ({ setting, value: file })),
  ];
  for (const { setting, value } of named) if (value !== undefined) process.env[setting] ||= value;
}

function system({ system: found, whyNoSystem }: Subject) {
  const at = `port ${process.env.INTERNAL_PORT ?? 3001}`;
  if (found) return [{ level: 'ok', what: `it runs, and answers at ${at}` } as const];
  if (whyNoSystem === undefined)
    return [{ level: 'ok', what: `none runs at ${at}: only this machine was checked` } as const];
  const todo =
    'if it is this system, see its log, and whether its event loop turns; if it is another program, set INTERNAL_PORT to a free port';
  return [
    {
      level: 'error',
      what: `something listens at ${at}, but does not answer as it should: ${whyNoSystem}`,
      todo,
    } as const,
  ];
}

function print({ findings: found }: { readonly findings: readonly NamedFinding[] }): void {
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { level, check, what, todo } of found) {
    const head = styleText(colors[level], level.padEnd('warning'.length), { stream: process.stdout });
    console.log(`${head}  ${check.padEnd(width)}  ${what}`);
    if (todo !== undefined) console.log(`${' '.repeat('warning'.length + width + 4)}→ ${todo}`);
  }
  const count = (level: NamedFinding['level']) => found.filter((each) => each.level === level).length;
  console.log(`\n${plural(count('error'), 'error')}, ${plural(count('warning'), 'warning')}, ${count('ok')} ok`);
}
