import { z } from 'zod';
import { crashPointKinds } from '../../kernel/context/index.ts';
import { plainly, safeParse } from '../../kernel/contract/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import { maxPort, wholeAddress } from '../../kernel/ports/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import { readTrustedProxies } from '../http-server/index.ts';
import { levelsRule, readLevels } from '../logs/index.ts';
import { corsSettings } from './cross-origin.ts';
import { flag, whole } from './setting-values.ts';

const port = whole(0, maxPort, `must be a port, 0 to ${maxPort}`);
const file = z.string().min(1).optional();
const named = z.string().min(1).optional();

/** The kernel's own settings, named as in the environment. Modules add their own. `docs/settings.md` lists all settings. */
export const kernelSettings = z.object({
  PORT: port.default(3000).describe('the public listener; 0 takes a free one'),
  HOST: z.string().min(1).default('127.0.0.1').describe('the address the public listener binds to'),
  INTERNAL_PORT: port.default(3001).describe('the internal listener'),
  INTERNAL_HOST: z.string().min(1).default('127.0.0.1').describe('the address the internal listener binds to'),
  HOME_ADDRESS: z
    .string()
    .refine(
      (address) => /^https?:/.test(address) && wholeAddress(address) !== undefined,
      'must be protocol, host and port, such as http://127.0.0.1:3001',
    )
    .optional()
    .describe('where services find the home process'),
  INTERNAL_TLS_CERT: file.describe('certificate (PEM) that the internal listeners show; with it they speak TLS'),
  INTERNAL_TLS_KEY: file.describe('its key (PEM)'),
  INTERNAL_TLS_CA: file.describe('CA bundle (PEM) used to verify other processes'),
  INTERNAL_TLS_MUTUAL: flag.default(false).describe('whether who calls must show a certificate as well'),
  PARITY: z
    .enum(['strict', 'fast'])
    .default('strict')
    .describe('how closely a call within a process is like one over a wire; strict also lets faults be put on it'),
  DATA_DIR: z.string().min(1).default('data').describe('the folder of databases and keys'),
  TOPOLOGY: z.string().min(1).default('topology.yaml').describe('the file that says what runs where'),
  BUS: z.string().default('mitt').describe('what carries events'),
  BUS_BEFORE: z.string().optional().describe('the broker that carried them before, until what it keeps is taken'),
  FAULT_POINT: z
    .string()
    .regex(
      new RegExp(`^(${crashPointKinds.join('|')})/[^@]+(@[1-9]\\d*)?$`),
      `must be the name of a point (it begins with one of ${crashPointKinds.map((kind) => `${kind}/`).join(', ')}), with @3 for the third time`,
    )
    .optional()
    .describe('where this process is to die once, for tests of crashes'),
  LOG_LEVEL: z
    .string()
    .refine((text) => readLevels(text) !== undefined, levelsRule)
    .default('warn')
    .describe('the minimum level of log lines, also for each module: info,payments=debug'),
  LOG_FORMAT: z
    .enum(['json', 'pretty'])
    .optional()
    .describe('the form of log lines; by default pretty on a terminal and JSON elsewhere'),
  LOG_FILE: file.describe('the file that the log is written to, instead of standard error'),
  RATE_LIMIT_PER_MINUTE: whole(0, Number.MAX_SAFE_INTEGER, 'must be a whole number of requests, 0 or more')
    .default(60_000)
    .describe('requests a client may make; 0 is no limit'),
  ...corsSettings,
  REQUEST_TIMEOUT_MS: whole(100, 60_000, 'must be a whole number of milliseconds, 100 to 60000')
    .default(15_000)
    .describe('the longest an answer may take'),
  FALLBACK_URL: z
    .string()
    .refine((text) => {
      const url = URL.parse(text);
      return url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
    }, 'must be the address of an application without a path, such as http://127.0.0.1:4000')
    .optional()
    .describe('an existing application, which gets the requests whose path no module serves'),
  OIDC_ISSUER: named.describe('the identity provider whose tokens are accepted beside those of Kerf'),
  OIDC_AUDIENCE: named.describe('the audience that its tokens must have'),
  OIDC_MEMBER_CLAIM: named.describe(
    'the claim with the id of a member; by default, the id is derived from issuer and sub',
  ),
  OIDC_ROLES_CLAIM: named.describe(
    'the claim with the roles, such as realm_access.roles; by default, tokens bring none',
  ),
  TRUSTED_PROXIES: z.coerce
    .string()
    .transform((text, issues) => {
      const proxies = readTrustedProxies(text);
      if (proxies) return proxies;
      issues.addIssue(
        'must be addresses and CIDR blocks, separated by commas, such as 10.0.0.0/8,::1, or a number of hops, 0 to 32; a block is a network of your own, at widest /8 of IPv4 or /7 of IPv6',
      );
      return z.NEVER;
    })
    .optional()
    .describe('the proxies that Kerf believes about the address of a client'),
  TRACE_CONTINUE: z
    .enum(['always', 'trusted', 'never'])
    .default('trusted')
    .describe('which public requests continue the trace that they name; trusted: those of TRUSTED_PROXIES'),
  TRACE_SLOW_MS: whole(1, 3_600_000, 'must be a whole number of milliseconds, 1 to 3600000')
    .default(1_000)
    .describe('a trace that takes longer is kept, sampled or not'),
  TRACES_IN_MEMORY: whole(0, 1_000_000, 'must be a whole number of spans, 0 to 1000000')
    .default(10_000)
    .describe('how many spans each process remembers; 0 records no traces'),
  OTEL_SDK_DISABLED: flag.default(false).describe('whether no traces are recorded, and no log lines sent'),
  OTEL_TRACES_EXPORTER: z
    .string()
    .optional()
    .describe('where spans are sent: otlp, zipkin, several separated by commas, or none'),
  OTEL_LOGS_EXPORTER: z.string().optional().describe('where log lines are sent as well: otlp, or none'),
  OTEL_TRACES_SAMPLER: z
    .enum([
      ...(['parentbased_traceidratio', 'parentbased_always_on', 'parentbased_always_off'] as const),
      ...(['traceidratio', 'always_on', 'always_off'] as const),
    ])
    .default('parentbased_traceidratio')
    .describe('which new traces are sampled'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('the share of traces that a sampler by ratio samples, 0 to 1'),
  SLOW_READER_TIMEOUT_MS: whole(100, 600_000, 'must be a whole number of milliseconds, 100 to 600000')
    .default(20_000)
    .describe('how long a peer may take nothing of an answer'),
  DRAIN_DELAY_MS: whole(0, 60_000, 'must be a whole number of milliseconds, 0 to 60000')
    .default(1_000)
    .describe('how long a process that gets SIGTERM goes on accepting requests, for load balancers to notice'),
  INTERNAL_KEY: z
    .string()
    .optional()
    .describe("the system's secrets, instead of the data folder: for the home process"),
  INTERNAL_IDENTITY: z
    .string()
    .min(1)
    .optional()
    .describe('file of the identity of a process that runs modules on another machine, instead of INTERNAL_KEY'),
  ARTIFACTS: z
    .string()
    .min(1)
    .optional()
    .describe(
      'folders that releases may be moved from, separated by commas; unless said otherwise that of this program',
    ),
  METRICS_TOKEN: z.string().min(16).optional().describe('the token of scrapers, instead of the data folder'),
  TRACES_TOKEN: z.string().min(16).optional().describe('the token of services that send spans; without it, none may'),
  OPERATOR_TOKEN: z.string().min(16).optional().describe("the operators' token, instead of the data folder"),
});

export type KernelSettings = z.output<typeof kernelSettings>;

/** Returns the schema of the kernel's own settings for a product with these adapters, whose brokers `BUS` and `BUS_BEFORE` may name. */
export function kernelSettingsWith(adapters: Adapters): typeof kernelSettings {
  const examples = adapters.brokers.flatMap(({ events, example }) => (events ? example : []));
  const such = examples.length > 0 ? ` such as ${examples.join(', ')}` : '';
  const aBroker = `a broker${such}, with user and password percent-encoded, and with ?namespace=shop (letters, digits, -) if need be`;
  const isBroker = (text: string) => adapters.isBrokerUrl(text);
  const isBus = (bus: string) => bus === 'mitt' || bus === 'http' || isBroker(bus);
  const buses = examples.length > 0 ? `mitt, http, or ${aBroker}` : 'mitt or http';
  return kernelSettings.extend({
    BUS: z.string().refine(isBus, `must be ${buses}`).default('mitt'),
    BUS_BEFORE: z.string().refine(isBroker, `must be ${aBroker}`).optional(),
  });
}

/** Returns the schema of the ports at which adapters listen for calls, each under the name that its adapter gives to it. */
export function portSettings({ wires }: Adapters) {
  const listeners = wires.flatMap(({ listener }) => listener ?? []);
  return z.object(
    Object.fromEntries(listeners.map(({ setting, about }) => [setting, port.default(0).describe(about)] as const)),
  );
}

export interface SettingsSource {
  env: Readonly<Record<string, string | undefined>>;
  /** The `settings` of `topology.yaml`. */
  file: Readonly<Record<string, unknown>>;
  fileName: string;
}

/** Reads one schema's settings: environment over file over defaults. Throws a `StartError` that names the first bad one. */
export function readSettings<S extends z.ZodObject>(schema: S, { env, file, fileName }: SettingsSource): z.output<S> {
  const given: Record<string, unknown> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = env[name] !== undefined && env[name] !== '' ? env[name] : file[name];
    if (value !== undefined && value !== null) given[name] = value;
  }
  const result = safeParse(schema, given, { error: plainly });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = String(issue!.path[0]);
  const where = env[name] ? 'environment' : fileName;
  const shown = JSON.stringify(given[name]);
  const mayBeSecret = /KEY|TOKEN|SECRET|PASSWORD|URL|^BUS/.test(name) || shown.includes('@');
  throw new StartError(
    `setting ${name} (${where}): ${mayBeSecret ? 'its value' : shown} is invalid: ${issue!.message}`,
  );
}

const operatorSettings = kernelSettings.pick({
  ...{ INTERNAL_PORT: true, INTERNAL_TLS_CERT: true, INTERNAL_TLS_KEY: true, INTERNAL_TLS_CA: true },
  ...{ DATA_DIR: true, OPERATOR_TOKEN: true },
});

/** Reads the settings by which a command of an operator reaches the running system. Throws a `StartError` as `readSettings`. */
export function readOperatorSettings(env: SettingsSource['env']): z.output<typeof operatorSettings> {
  return readSettings(operatorSettings, { env, file: {}, fileName: '' });
}

/** Refuses an unknown setting: any in the file; in the environment, only names with the prefix of a module. */
export function refuseUnknownSettings(
  known: ReadonlySet<string>,
  modules: readonly string[],
  source: SettingsSource,
): void {
  for (const name of Object.keys(source.file)) {
    if (!known.has(name))
      throw new StartError(`${source.fileName}: unknown setting "${name}"; known are ${[...known].join(', ')}`);
  }
  const prefixes = modules.map((module) => `${environmentName(module)}_`);
  for (const name of Object.keys(source.env)) {
    const ours = prefixes.find((prefix) => name.startsWith(prefix));
    if (!ours || known.has(name)) continue;
    const near = [...known].filter((each) => each.startsWith(ours)).join(', ') || 'none';
    throw new StartError(`unknown setting ${name} in the environment; settings that begin so: ${near}`);
  }
}

export function environmentName(module: string): string {
  return module.toUpperCase().replaceAll('-', '_');
}
