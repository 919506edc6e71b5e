import type { ModuleDefinition } from '../../kernel/module/index.ts';
import type { Topology } from '../topology/index.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the secrets that this process knows from its settings: keys and tokens, the passwords of brokers and other servers, and the
 * headers that exporters of OpenTelemetry send.
 */
export function secretsOf(
  { settings, settingsOf, placements }: Pick<Topology, 'settings' | 'settingsOf' | 'placements'>,
  definitions: readonly Pick<ModuleDefinition, 'contract'>[],
  env: Environment = process.env,
): string[] {
  const {
    INTERNAL_KEY = '',
    OPERATOR_TOKEN = '',
    METRICS_TOKEN = '',
    TRACES_TOKEN = '',
    BUS,
    BUS_BEFORE = '',
  } = settings;
  const brokers = [...placements.values()].flatMap((placement) => (placement.kind === 'broker' ? placement.url : []));
  const own = definitions.flatMap(({ contract }) => Object.entries(settingsOf(contract.name)));
  return [
    ...[...INTERNAL_KEY.split(','), OPERATOR_TOKEN, METRICS_TOKEN, TRACES_TOKEN],
    ...[BUS, BUS_BEFORE, ...brokers].flatMap(secretsOfBroker),
    ...own.flatMap(([name, value]) => (typeof value === 'string' ? secretsOfSetting(name, value) : [])),
    ...Object.entries(env).flatMap(([name, value = '']) => secretsOfExporter(name, value)),
  ];
}

/** Returns the password in a broker's URL. A user without a password may be a token, as for NATS. */
export function secretsOfBroker(url: string): string[] {
  const { username = '', password = '' } = URL.parse(url) ?? {};
  return spellingsOf(password || username);
}

/** Returns the secret in a setting of a module: its value when its name says so, or the password in a URL. */
function secretsOfSetting(name: string, value: string): string[] {
  return /(KEY|TOKEN|SECRET|PASSWORD)$/.test(name) ? [value] : passwordIn(value);
}

/** Returns the secrets in a variable such as `OTEL_EXPORTER_OTLP_HEADERS`, whose values are percent-encoded. */
function secretsOfExporter(name: string, value: string): string[] {
  if (/^OTEL_EXPORTER_\w*ENDPOINT$/.test(name)) return passwordIn(value);
  if (!/^OTEL_EXPORTER_\w*HEADERS$/.test(name)) return [];
  const values = value.split(',').map((pair) => pair.slice(pair.indexOf('=') + 1).trim());
  // `Basic c2VjcmV0` is two words; a message may show the second alone.
  return values.flatMap(spellingsOf).flatMap((each) => [each, ...each.split(' ')]);
}

function passwordIn(text: string): string[] {
  return spellingsOf(URL.parse(text)?.password ?? '');
}

function spellingsOf(secret: string): string[] {
  if (secret === '') return [];
  try {
    return [secret, decodeURIComponent(secret)];
  } catch {
    return [secret];
  }
}
