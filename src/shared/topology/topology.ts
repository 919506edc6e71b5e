import { existsSync, readFileSync } from 'node:fs';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import type { Contract } from '../contract/index.ts';
import { StartError } from '../errors/index.ts';
import { type PoliciesConfig, policiesSchema, refuseUnknownPolicies } from '../resilience/index.ts';
import { refuseUnusableFolder } from './data-folder.ts';
import { type Placement, parsePlacement, placementText } from './placement.ts';
import {
  environmentName,
  type KernelSettings,
  kernelSettings,
  readSettings,
  refuseUnknownSettings,
  type SettingsSource,
} from './settings.ts';

/** Who runs where: the same in every process of a system. */
export interface Topology {
  readonly settings: KernelSettings;
  readonly placements: ReadonlyMap<string, Placement>;
  /** Of calls that leave a process. */
  readonly policies: PoliciesConfig;
  /** Where the home process can be reached: it runs what is `in-process` and starts the services. */
  readonly homeAddress: string;
  /** The modules this process was told to run alone; `undefined` in the home process. */
  readonly only: readonly string[] | undefined;
  /** A module's own settings, checked. */
  settingsOf(module: string): unknown;
}

interface Described {
  readonly contract: Contract;
  readonly settings?: z.ZodObject;
}

const instancesRange = 'must be a whole number, 1 to 64';

/** `http`, or `{ via: http, instances: 3 }`, or a list of addresses: in the end, the text of it. */
const placementSchema = z.union(
  [
    z.string(),
    z.array(z.string()).min(1, 'must list an address, or several'),
    z.strictObject(
      {
        via: z.enum(['http', 'grpc', 'queue'], 'must be http, grpc or queue'),
        instances: z.int(instancesRange).min(1, instancesRange).max(64, instancesRange).default(1),
      },
      {
        error: ({ code, keys }) =>
          code === 'unrecognized_keys' ? `"${keys[0]}" is not known; known are via, instances` : undefined,
      },
    ),
  ],
  'must be a placement: in-process, http, { via: http, instances: 3 }, an address, or a list of addresses',
);

const fileSchema = z.strictObject({
  bus: z.string().optional(),
  modules: z.record(z.string(), placementSchema).nullish(),
  policies: policiesSchema.nullish(),
  settings: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * Reads `topology.yaml` and the environment, which wins. Throws a `StartError` that names what is unknown or bad, in which
 * of the two.
 */
export function readTopology(
  modules: readonly Described[],
  only: readonly string[] | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Topology {
  const names = modules.map((module) => module.contract.name);
  const fileName = env.TOPOLOGY || 'topology.yaml';
  const file = readFile(fileName, fileName === env.TOPOLOGY);
  const source: SettingsSource = { env, file: { ...file.settings, ...(file.bus && { BUS: file.bus }) }, fileName };
  const known = new Set(
    [kernelSettings, ...modules.flatMap(({ settings }) => settings ?? [])].flatMap((schema) =>
      Object.keys(schema.shape),
    ),
  );
  refuseUnknownSettings(known, names, source);
  const settings = readSettings(kernelSettings, source);
  refuseUnusableFolder(settings.DATA_DIR, 'DATA_DIR');
  const placements = readPlacements(names, mapText(file.modules ?? {}), source);
  const policies = file.policies ?? {};
  refuseUnknownPolicies(
    policies,
    modules.map(({ contract }) => contract),
    fileName,
  );
  refuseUnusableQueues(placements, settings);
  refuseUnknownModules(only ?? [], names, '--only');
  const own = new Map(
    modules.map((module) => [module.contract.name, module.settings ? readSettings(module.settings, source) : {}]),
  );
  const scheme = settings.INTERNAL_TLS_CERT ? 'https' : 'http';
  return {
    settings,
    placements,
    policies,
    homeAddress: new URL(settings.HOME_ADDRESS ?? `${scheme}://127.0.0.1:${settings.INTERNAL_PORT}`).origin,
    only,
    settingsOf: (module) => own.get(module),
  };
}

function readFile(name: string, mustExist: boolean): z.output<typeof fileSchema> {
  if (!existsSync(name)) {
    if (mustExist) throw new StartError(`${name} (setting TOPOLOGY) is not there; create it, or name another file`);
    return fileSchema.parse({});
  }
  try {
    const result = fileSchema.safeParse(parse(readFileSync(name, 'utf8')) ?? {});
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const known =
      issue!.code === 'unrecognized_keys' && issue!.path.length === 0
        ? `; known are ${Object.keys(fileSchema.shape).join(', ')}`
        : '';
    throw new StartError(`${name}: ${issue!.path.join('.') || 'the file'}: ${issue!.message}${known}`);
  } catch (error) {
    if (error instanceof StartError) throw error;
    const [why] = (error as Error).message.split('\n');
    const what = error instanceof YAMLParseError ? 'is not well-formed YAML' : 'cannot be read';
    throw new StartError(`${name} (setting TOPOLOGY) ${what}: ${why!.replace(/:$/, '')}`, { cause: error });
  }
}

function readPlacements(names: string[], fromFile: Record<string, string>, { env, fileName }: SettingsSource) {
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
      const text = env[variable] || (fromFile[name] ?? 'in-process');
      return [name, parsePlacement(text, env[variable] ? variable : `${fileName}: ${name}`)] as const;
    }),
  );
}

function mapText(placements: Record<string, z.output<typeof placementSchema>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(placements).map(([module, placed]) => {
      if (typeof placed === 'string') return [module, placed];
      return [module, Array.isArray(placed) ? placed.join(',') : placementText({ kind: 'service', ...placed })];
    }),
  );
}

function refuseUnusableQueues(placements: ReadonlyMap<string, Placement>, { BUS }: KernelSettings): void {
  for (const [module, placement] of placements) {
    if (placement.kind !== 'service' || placement.via !== 'queue' || /^(amqps?|nats|tls):/.test(BUS)) continue;
    throw new StartError(
      `the placement of ${module} is queue, which goes over the broker of BUS, and BUS is ${BUS.split(':')[0]}: set BUS to amqp://… or nats://…, or place the module at such an address`,
    );
  }
}

function refuseUnknownModules(given: readonly string[], names: readonly string[], where: string): void {
  for (const name of given) {
    if (!names.includes(name))
      throw new StartError(
        `${where}: there is no module "${name}"; the modules are ${names.join(', ')} (listed in src/app.ts)`,
      );
  }
}
