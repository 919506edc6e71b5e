import { existsSync, readFileSync } from 'node:fs';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { type Contract, plainly, safeParse } from '../../kernel/contract/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import { readAddress } from '../../kernel/ports/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import { readLevels } from '../logs/index.ts';
import { type PoliciesConfig, policiesSchema, refuseUnknownPolicies } from '../routing/index.ts';
import { refuseCredentialsForAll } from './cross-origin.ts';
import { refuseUnusableFolder } from './data-folder.ts';
import { type Placement, parsePlacement } from './placement.ts';
import {
  environmentName,
  type KernelSettings,
  kernelSettings,
  kernelSettingsWith,
  portSettings,
  readSettings,
  refuseUnknownSettings,
  type SettingsSource,
} from './settings.ts';
import { writtenPlacement } from './written-placement.ts';

/** Defines where each module runs; the same in every process of a system. */
export interface Topology {
  readonly settings: KernelSettings;
  /** The ports of the listeners for calls alone, by their settings, such as `GRPC_PORT`. */
  readonly ports: Readonly<Record<string, number>>;
  /** The adapters of the product, which carry calls to the placements. */
  readonly adapters: Adapters;
  readonly placements: ReadonlyMap<string, Placement>;
  /** The policies of calls: timeouts, and rules for calls that leave a process. */
  readonly policies: PoliciesConfig;
  /** The address of the home process, which runs the `in-process` modules and starts the module processes. */
  readonly homeAddress: string;
  /** The modules this process was told to run alone; `undefined` in the home process. */
  readonly only: readonly string[] | undefined;
  /** Whether the environment sets this name, such as `INTERNAL_PORT` or `MODULE_PAYMENTS`; it overrides the file. */
  saidByEnvironment(name: string): boolean;
  /** Returns the validated settings of a module that runs in this process. */
  settingsOf(module: string): Record<string, unknown>;
}

interface ConfigurableModule {
  readonly contract: Contract;
  /** The content of its `module.json`. */
  readonly about?: { readonly name: string };
  readonly settings?: z.ZodObject;
}

const fileShape = {
  bus: z.string().optional(),
  modules: z
    .record(z.string(), z.unknown(), 'must list modules, each with where it runs, such as payments: http')
    .nullish(),
  policies: policiesSchema.nullish().describe('limits of calls, by module, where they differ from the defaults'),
  settings: z.record(z.string(), z.unknown(), 'must list settings, each with its value, such as PORT: 3000').nullish(),
};
const parts = Object.keys(fileShape).join(', ');
/** The schema of `topology.yaml`. Placements and settings have rules of their own. */
export const topologyFileSchema = z.strictObject(fileShape, {
  error: (issue) =>
    issue.code === 'unrecognized_keys'
      ? `"${issue.keys[0]}" is unknown; known are ${parts}`
      : `must say any of ${parts}, each with a colon after it, such as bus: mitt`,
});

/**
 * Reads `topology.yaml` and the environment, which overrides the file, for a product with these adapters. Throws a `StartError` that
 * names the unknown or invalid entry and its source, or the adapter that is missing.
 */
export function readTopology(
  modules: readonly ConfigurableModule[],
  only: readonly string[] | undefined,
  env: Readonly<Record<string, string | undefined>>,
  adapters: Adapters,
): Topology {
  const names = namesOf(modules);
  const fileName = env.TOPOLOGY || 'topology.yaml';
  const file = readFile(fileName, fileName === env.TOPOLOGY);
  const source: SettingsSource = { env, file: settingsOf(file, env), fileName };
  const known = new Set(
    [kernelSettings, portSettings(adapters), ...modules.flatMap(({ settings }) => settings ?? [])].flatMap((schema) =>
      Object.keys(schema.shape),
    ),
  );
  refuseUnknownSettings(known, names, source);
  const settings = readSettings(kernelSettingsWith(adapters), source);
  const ports = readSettings(portSettings(adapters), source);
  refuseMissingBrokers(settings, adapters);
  refuseUnusableFolder(settings.DATA_DIR, 'DATA_DIR');
  refuseUnknownLogs(settings, names);
  const placements = readPlacements(names, file.modules ?? {}, source, adapters);
  const policies = file.policies ?? {};
  refuseUnknownPolicies(
    policies,
    modules.map(({ contract }) => contract),
    fileName,
  );
  refuseCredentialsForAll(settings);
  refuseUnusableQueues(placements, settings, adapters);
  refuseUnknownModules(only ?? [], names, '--only');
  refuseAloneAtHome(only ?? [], placements, fileName);
  const here = modules.filter(({ contract }) => !only || only.includes(contract.name));
  const own = new Map(
    here.map((module) => [module.contract.name, module.settings ? readSettings(module.settings, source) : {}]),
  );
  return {
    settings,
    ports,
    adapters,
    placements,
    policies,
    homeAddress: homeAddressOf(settings),
    only,
    saidByEnvironment: (name) => Boolean(env[name]),
    settingsOf: (module) => own.get(module) ?? {},
  };
}

/** Returns the module names. Refuses a module with two names, and a name used twice: two modules would share the same data. */
function namesOf(modules: readonly ConfigurableModule[]): string[] {
  const names: string[] = [];
  for (const { contract, about } of modules) {
    const { name } = contract;
    if (about && about.name !== name) {
      throw new StartError(
        `a module is "${about.name}" in its module.json and "${name}" in its contract.ts: give it one name in both, and in its routes.ts`,
      );
    }
    if (names.includes(name)) throw new StartError(`src/app.ts lists two modules named "${name}"`);
    names.push(name);
  }
  return names;
}

/** The defaults that differ in production. */
const inProduction = { PARITY: 'fast', OTEL_TRACES_SAMPLER_ARG: 0.1 } as const;

/** Returns the settings of the file, with the defaults of this environment. */
function settingsOf({ settings, bus }: z.output<typeof topologyFileSchema>, { NODE_ENV }: SettingsSource['env']) {
  const defaults = NODE_ENV === 'production' ? inProduction : {};
  const given = Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== null));
  return { ...defaults, ...given, ...(bus && { BUS: bus }) };
}

function homeAddressOf({ HOME_ADDRESS, INTERNAL_TLS_CERT, INTERNAL_PORT }: KernelSettings): string {
  if (HOME_ADDRESS !== undefined) return readAddress(HOME_ADDRESS);
  return `${INTERNAL_TLS_CERT ? 'https' : 'http'}://127.0.0.1:${INTERNAL_PORT}`;
}

function readFile(name: string, mustExist: boolean): z.output<typeof topologyFileSchema> {
  if (!existsSync(name)) {
    if (mustExist) throw new StartError(`${name} (setting TOPOLOGY) is not there; create it, or name another file`);
    return topologyFileSchema.parse({});
  }
  try {
    const result = safeParse(topologyFileSchema, parse(readFileSync(name, 'utf8')) ?? {}, { error: plainly });
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw new StartError([name, ...(issue!.path.length > 0 ? [issue!.path.join('.')] : []), issue!.message].join(': '));
  } catch (error) {
    if (error instanceof StartError) throw error;
    const [why] = (error as Error).message.split('\n');
    const what = error instanceof YAMLParseError ? 'is not well-formed YAML' : 'cannot be read';
    throw new StartError(`${name} (setting TOPOLOGY) ${what}: ${why!.replace(/:$/, '')}`, { cause: error });
  }
}

function readPlacements(
  names: string[],
  fromFile: Record<string, unknown>,
  { env, fileName }: SettingsSource,
  adapters: Adapters,
) {
  refuseUnknownModules(Object.keys(fromFile), names, fileName);
  const variables = new Map(names.map((name) => [`MODULE_${environmentName(name)}`, name]));
  for (const variable of Object.keys(env)) {
    if (variable.startsWith('MODULE_') && !variables.has(variable)) {
      throw new StartError(
        `unknown setting ${variable} in the environment; the modules are ${names.join(', ')} (listed in src/app.ts)`,
      );
    }
  }
  return new Map(
    [...variables].map(([variable, name]) => {
      const where = `${fileName}: modules.${name}`;
      const written = Object.hasOwn(fromFile, name) ? writtenPlacement(fromFile[name], where) : 'in-process';
      const said = env[variable];
      return [name, parsePlacement(said || written, said ? variable : where, adapters)] as const;
    }),
  );
}

function refuseMissingBrokers({ BUS, BUS_BEFORE }: KernelSettings, adapters: Adapters): void {
  for (const each of [BUS, BUS_BEFORE]) if (each && URL.canParse(each)) adapters.busOpenerFor(new URL(each));
}

function refuseUnusableQueues(
  placements: ReadonlyMap<string, Placement>,
  { BUS }: KernelSettings,
  adapters: Adapters,
): void {
  for (const [module, placement] of placements) {
    if (placement.kind !== 'service' || placement.via !== 'queue' || adapters.carriesCalls(BUS)) continue;
    throw new StartError(
      `the placement of ${module} is queue, which goes over the broker of BUS, and BUS is ${BUS.split(':')[0]}: set BUS to ${adapters.brokersForCalls}, or place the module at such an address`,
    );
  }
}

/** Refuses a level for a log that no process has. */
function refuseUnknownLogs({ LOG_LEVEL }: KernelSettings, names: readonly string[]): void {
  const logs = ['gateway', 'home', ...names];
  const unknown = Object.keys(readLevels(LOG_LEVEL)?.modules ?? {}).find((name) => !logs.includes(name));
  if (unknown !== undefined)
    throw new StartError(`setting LOG_LEVEL: there is no log "${unknown}"; there are ${logs.join(', ')}`);
}

function refuseUnknownModules(given: readonly string[], names: readonly string[], where: string): void {
  for (const name of given) {
    if (!names.includes(name))
      throw new StartError(
        `${where}: there is no module "${name}"; the modules are ${names.join(', ')} (listed in src/app.ts)`,
      );
  }
}

/** Refuses to run an `in-process` module alone: no caller would find it, and two processes would serve it without knowing it. */
function refuseAloneAtHome(
  only: readonly string[],
  placements: ReadonlyMap<string, Placement>,
  fileName: string,
): void {
  const module = only.find((name) => placements.get(name)?.kind === 'in-process');
  if (module === undefined) return;
  const address = 'http://127.0.0.1:4105';
  throw new StartError(
    `--only: ${module} is placed in-process, so the home process runs it and no caller would find it here; give its address to every process: ${module}: ${address} in ${fileName}, or MODULE_${environmentName(module)}=${address}`,
  );
}
