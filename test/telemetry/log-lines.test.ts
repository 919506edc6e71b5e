import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { Kerf, placements } from '../harness/kerf.ts';
import { logLines } from '../harness/log.ts';
import { Scraper, sum } from '../harness/metrics.ts';
import { OtlpCollector, type ReceivedLine } from '../harness/otlp-collector.ts';
import { quiet } from '../harness/quiet.ts';
import { describeWith } from '../harness/servers.ts';
import { Shop } from '../harness/shop.ts';
import { ingestOf, victoriaLogs } from '../harness/telemetry-servers.ts';
import { traceIdOf } from '../harness/traces.ts';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

async function collector(): Promise<OtlpCollector> {
  const opened = await OtlpCollector.open();
  open.push(opened);
  return opened;
}

/** Starts a system that logs everything, with payments in a process of its own. */
function start(env: Record<string, string>): Promise<Kerf> {
  const placed = placements({ name: 'payments out', out: ['payments'] });
  return Kerf.start({ env: { ...placed, LOG_LEVEL: 'debug', LOG_FORMAT: 'json', ...env } });
}

/** Places an order. Resolves with the id of its trace once all its work is done. */
async function order(kerf: Kerf): Promise<string> {
  const member = await new Shop(kerf.url).join({ phone: '+4915112345678' });
  const { status, headers } = await member.order('WAX');
  expect(status).toBe(201);
  await quiet(kerf);
  return traceIdOf(headers);
}

/** What both the log and a server have of a line. */
const inLog = (stderr: string) =>
  logLines(stderr).map((line) => ({
    process: line['service.node.name'],
    sequence: line['event.sequence'],
    service: line['service.name'],
    level: line['log.level'],
    trace: line['trace.id'] ?? '',
    request: line['http.request.id'],
    message: line.message,
    own: line.kerf ?? {},
  }));
const atServer = (lines: readonly ReceivedLine[]) =>
  lines.map(({ resource, attributes, severity, traceId, body }) => ({
    process: resource['service.instance.id'],
    sequence: attributes['event.sequence'],
    service: resource['service.name'],
    level: severity[1],
    trace: traceId,
    request: attributes['http.request.id'],
    message: body,
    own: Object.fromEntries(
      Object.entries(attributes).flatMap(([name, value]) => (name.startsWith('kerf.') ? [[name.slice(5), value]] : [])),
    ),
  }));
const sorted = <T extends { process: unknown; sequence: unknown }>(lines: readonly T[]) =>
  lines.toSorted(
    (one, other) => `${one.process}`.localeCompare(`${other.process}`) || +one.sequence! - +other.sequence!,
  );

describe.each(['http/protobuf', 'grpc'] as const)('the log by OTLP over %s', (protocol) => {
  it('has the lines of all processes, as they are in the log', async () => {
    const server = await collector();
    const kerf = await start({
      OTEL_LOGS_EXPORTER: 'otlp',
      ...{ OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: protocol, OTEL_TRACES_EXPORTER: 'none' },
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${server.endpoints[protocol]}${protocol === 'grpc' ? '' : '/v1/logs'}`,
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    const trace = await order(kerf);
    const scraped = await new Scraper(kerf).scrape();
    expect(await kerf.stop()).toBe(0);
    // A process has sent its last lines before it ends, except those that it logs while it sends them.
    const received = sorted(atServer(server.lines));
    const written = sorted(inLog(kerf.stderr)).filter(({ process, sequence }) =>
      received.some((line) => line.process === process && (line.sequence as number) >= sequence),
    );
    expect(received).toEqual(written);
    const ofTrace = received.filter((line) => line.trace === trace);
    const services = new Set(ofTrace.map(({ service }) => service));
    expect([...services].sort()).toEqual(expect.arrayContaining(['gateway', 'inventory', 'orders', 'payments']));
    expect(new Set(ofTrace.map(({ process }) => process)).size).toBe(2);
    for (const { resource } of server.lines)
      expect(resource).toMatchObject({ 'service.namespace': 'kerf', 'deployment.environment.name': 'test' });
    expect(sum(scraped, 'kerf_log_lines_total', { outcome: 'dropped' })).toBe(0);
    expect(scraped.filter(({ name }) => name === 'kerf_log_lines_total')).toHaveLength(6);
  });
});

it('is not sent without OTEL_LOGS_EXPORTER, nor with OTEL_SDK_DISABLED', async () => {
  const server = await collector();
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoints['http/protobuf'], OTEL_TRACES_SAMPLER_ARG: '1' };
  const settings: Record<string, string>[] = [{}, { OTEL_LOGS_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }];
  for (const env of settings) {
    const kerf = await start({ ...endpoint, ...env });
    await new Shop(kerf.url).join();
    expect(await kerf.stop()).toBe(0);
  }
  // The spans of the first system show that the server was reached.
  expect(new Set(server.requests.map(([path]) => path))).toEqual(new Set(['/v1/traces']));
});

it('fails no request and delays no stop when its server does not answer', async () => {
  const kerf = await start({
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://127.0.0.1:9/v1/logs',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  });
  await order(kerf);
  const failed = async () => sum(await new Scraper(kerf).scrape(), 'kerf_log_lines_total', { outcome: 'failed' });
  await expect.poll(failed).toBeGreaterThan(0);
  expect(await kerf.stop()).toBe(0);
  const warnings = logLines(kerf.stderr).filter(({ message }) =>
    message.startsWith('spans or log lines cannot be sent'),
  );
  expect(new Set(warnings.map((line) => line['process.pid'])).size).toBe(warnings.length);
});

describeWith('victoria-logs', 'the log in VictoriaLogs', ({ url }) => {
  const find = (mark: string) =>
    victoriaLogs(`"deployment.environment.name":${mark} "a call was served"`, { enough: (found) => found.length > 5 });

  it('has the lines of an order, sent by OTLP', async () => {
    const mark = randomUUID();
    const kerf = await start({
      ...{ OTEL_LOGS_EXPORTER: 'otlp', OTEL_TRACES_EXPORTER: 'none' },
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${url}/insert/opentelemetry/v1/logs`,
      OTEL_RESOURCE_ATTRIBUTES: `deployment.environment.name=${mark}`,
    });
    const trace = await order(kerf);
    expect(await kerf.stop()).toBe(0);
    expect((await find(mark)).some((line) => line.trace_id === trace)).toBe(true);
  });

  describeWith('otel-collector', 'through an OpenTelemetry Collector', () => {
    it.each(['http/protobuf', 'grpc'] as const)('has the lines of an order, by %s', async (protocol) => {
      const mark = randomUUID();
      const { http, grpc } = ingestOf('otel-collector');
      const kerf = await start({
        ...{ OTEL_LOGS_EXPORTER: 'otlp', OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_PROTOCOL: protocol },
        OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? grpc : http,
        OTEL_RESOURCE_ATTRIBUTES: `deployment.environment.name=${mark}`,
      });
      const trace = await order(kerf);
      expect(await kerf.stop()).toBe(0);
      expect((await find(mark)).some((line) => line.trace_id === trace)).toBe(true);
    });
  });
});
