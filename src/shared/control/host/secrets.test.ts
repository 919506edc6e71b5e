import { expect, it } from 'vitest';
import type { Placement, Topology } from '../topology/index.ts';
import { secretsOf } from './secrets.ts';

const topology = (settings: object, own: Record<string, unknown> = {}, placements: Record<string, Placement> = {}) =>
  ({
    settings: { BUS: 'mitt', ...settings },
    settingsOf: () => own,
    placements: new Map(Object.entries(placements)),
  }) as unknown as Topology;
const definitions = [{ contract: { name: 'shop' } }] as unknown as Parameters<typeof secretsOf>[1];
const found = (...given: Parameters<typeof topology>) =>
  secretsOf(topology(...given), definitions, {}).filter((secret) => secret !== '');

it('finds the keys and tokens of the kernel', () => {
  const tokens = { OPERATOR_TOKEN: 'of-operators', METRICS_TOKEN: 'of-scrapers', TRACES_TOKEN: 'of-senders' };
  const settings = { INTERNAL_KEY: 'key-one,key-two', ...tokens };
  expect(found(settings)).toEqual(['key-one', 'key-two', 'of-operators', 'of-scrapers', 'of-senders']);
});

it('finds the password, or the token, of each broker, also percent-encoded', () => {
  const settings = { BUS: 'amqp://shop:of-bus@broker', BUS_BEFORE: 'nats://token-before@broker' };
  const placements: Record<string, Placement> = {
    one: { kind: 'broker', url: 'amqp://shop:of%2Fplacement@broker' },
    other: { kind: 'service', via: 'http', instances: 1 },
  };
  expect(new Set(found(settings, {}, placements))).toEqual(
    new Set(['of-bus', 'token-before', 'of%2Fplacement', 'of/placement']),
  );
});

it('finds the secrets of modules by their name, or as the password in a URL', () => {
  const own = { SHOP_API_KEY: 'of-shop', SHOP_SMTP_URL: 'smtp://user:of-mail@host', SHOP_LIMIT: 5, SHOP_NAME: 'Shop' };
  expect(new Set(found({}, own))).toEqual(new Set(['of-shop', 'of-mail']));
});

it('finds what exporters of telemetry send to prove themselves', () => {
  const env = {
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20b2YtaGVhZGVy, x-team=of-team',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'api-key=of-traces',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://user:of-endpoint@collector',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  };
  const secrets = secretsOf(topology({}), definitions, env);
  expect(secrets).toEqual(expect.arrayContaining(['b2YtaGVhZGVy', 'of-team', 'of-traces', 'of-endpoint']));
  expect(secrets).not.toContain('grpc');
});
