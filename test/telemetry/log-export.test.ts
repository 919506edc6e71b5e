import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { otlp } from '../../src/shared/adapters/otlp/index.ts';
import type { ExportQueue } from '../../src/shared/control/exporting/index.ts';
import { exportLines } from '../../src/shared/control/log-export/export-lines.ts';
import { LineReader, type LineRecord } from '../../src/shared/control/log-export/record.ts';
import { Logs } from '../../src/shared/control/logs/index.ts';
import { adapters } from '../harness/adapters.ts';
import { OtlpCollector } from '../harness/otlp-collector.ts';

const open: { close(): unknown }[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const each of open.splice(0)) each.close();
});

const protocols = ['http/protobuf', 'grpc'] as const;

function exportTo(url: string, protocol: string, answerWithinMs = 300): ExportQueue<LineRecord> {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', url);
  vi.stubEnv('OTEL_EXPORTER_OTLP_PROTOCOL', protocol);
  return exportLines('otlp', otlp().logExporter!.open(process.env), answerWithinMs);
}

/** Opens logs whose lines are in `lines`, and go to `queue`. */
function logsTo(queue: ExportQueue<LineRecord>) {
  const lines: string[] = [];
  const logs = new Logs({ default: 'debug', modules: {} }, { write: (line) => lines.push(line) });
  const reader = new LineReader({ 'service.namespace': 'kerf', 'service.instance.id': 'i' });
  logs.alsoTo({ write: (line) => queue.send(reader.read(line, true)) });
  return { logs, lines };
}

async function collector(): Promise<OtlpCollector> {
  const opened = await OtlpCollector.open();
  open.push(opened);
  return opened;
}

describe.each(protocols)('log lines by OTLP over %s', (protocol) => {
  it('arrive as records, masked as the lines are', async () => {
    const server = await collector();
    const queue = exportTo(server.endpoints[protocol], protocol);
    const { logs, lines } = logsTo(queue);
    logs.hide('a-secret-of-the-system');
    const error = new TypeError('no answer to ann@example.com', { cause: new Error('a-secret-of-the-system') });
    logs
      .of('payments')
      .error({ error, token: 'abc', attempts: 3, share: 0.5, to: { mail: 'ann@example.com' } }, 'late');
    logs.of('orders').debug({ method: 'GET', path: '/orders?token=b' }, 'for +49 177 5551234');
    await queue.close();
    expect(queue.counts).toEqual({ exporter: 'otlp', exported: 2, failed: 0, dropped: 0 });
    const [late, served] = lines.map((line) => JSON.parse(line));
    expect(server.lines).toEqual([
      {
        resource: { 'service.namespace': 'kerf', 'service.instance.id': 'i', 'service.name': 'payments' },
        attributes: {
          'event.sequence': 1,
          'exception.type': 'TypeError',
          'exception.message': late.error.message,
          'exception.stacktrace': late.error.stack_trace,
          ...{ 'kerf.token': late.kerf.token, 'kerf.attempts': 3, 'kerf.share': 0.5, 'kerf.to': late.kerf.to },
        },
        at: `${Date.parse(late['@timestamp'])}000000`,
        severity: [17, 'error'],
        body: 'late',
        ...{ flags: 0, traceId: '', spanId: '' },
      },
      expect.objectContaining({
        resource: expect.objectContaining({ 'service.name': 'orders' }),
        attributes: { 'event.sequence': 2, 'http.request.method': 'GET', 'url.path': '/orders' },
        severity: [5, 'debug'],
        body: served.message,
      }),
    ]);
    expect(JSON.stringify(server.lines)).not.toMatch(/ann@example|a-secret-of|5551234|abc/);
  });

  it('survive values of any kind', async () => {
    const server = await collector();
    const queue = exportTo(server.endpoints[protocol], protocol);
    const { logs } = logsTo(queue);
    const log = logs.of('payments');
    for (const value of [null, 1n, Number.NaN, 1e300, -0, [], [[1, null]], {}, { '': 1 }, true, '\ud800', '\0'])
      log.warn({ value }, 'said');
    for (const fields of [null, [1], 'text', { message: 1, kerf: 2, 'service.name': 'x' }])
      log.warn(fields as object, 'said');
    await queue.close();
    expect(queue.counts).toMatchObject({ exported: 16, failed: 0, dropped: 0 });
    expect(new Set(server.lines.map(({ resource }) => resource['service.name']))).toEqual(new Set(['payments']));
  });

  it('are counted as failed when nobody listens', async () => {
    const queue = exportTo('http://127.0.0.1:9', protocol);
    const { logs } = logsTo(queue);
    for (let n = 0; n < 3; n++) logs.of('payments').warn('said');
    await queue.close();
    expect(queue.counts).toEqual({ exporter: 'otlp', exported: 0, failed: 3, dropped: 0 });
  });
});

describe('a server of log lines that is slow, away, or answers nonsense', () => {
  async function serve(answer: RequestListener): Promise<string> {
    const server: Server = createServer(answer);
    open.push({ close: () => server.close().closeAllConnections() });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const bad: [string, RequestListener][] = [
    ['answers 400', (_, response) => response.writeHead(400).end('no')],
    ['answers 413', (_, response) => response.writeHead(413).end()],
    ['answers 429', (_, response) => response.writeHead(429, { 'retry-after': '1000' }).end()],
    ['answers 503', (_, response) => response.writeHead(503).end()],
    ['redirects', (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:9' }).end()],
    ['does not answer', () => {}],
    ['hangs up', (request) => request.socket.destroy()],
  ];

  it.each(bad)('fails its own lines only: it %s', async (_, answer) => {
    const queue = exportTo(await serve(answer), 'http/protobuf');
    const { logs, lines } = logsTo(queue);
    for (let n = 0; n < 3; n++) logs.of('payments').warn('said');
    await queue.close();
    expect(queue.counts).toEqual({ exporter: 'otlp', exported: 0, failed: 3, dropped: 0 });
    expect(lines).toHaveLength(3);
  });

  it('takes lines although the text of its answer is nonsense', async () => {
    const queue = exportTo(await serve((_, response) => response.writeHead(200).end('{nonsense')), 'http/protobuf');
    logsTo(queue).logs.of('payments').warn('said');
    await queue.close();
    expect(queue.counts).toMatchObject({ exported: 1, failed: 0 });
  });

  it('costs a bounded number of lines in memory, and of characters', async () => {
    const url = await serve(() => {});
    const many = exportTo(url, 'http/protobuf');
    const { logs } = logsTo(many);
    for (let n = 0; n < 5_000; n++) logs.of('payments').warn('said');
    expect(many.counts).toMatchObject({ dropped: 5_000 - 2_048 });
    await many.close();
    expect(many.counts).toMatchObject({ exported: 0, failed: 2_048 });
    const long = exportTo(url, 'http/protobuf');
    const texts = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`text${n}`, 'x'.repeat(4_000)]));
    const written = logsTo(long);
    for (let n = 0; n < 1_000; n++) written.logs.of('payments').warn(texts, 'said');
    let [room, size] = [0, 0];
    for (const { length } of written.lines) {
      size += length;
      if (size <= 4 * 1024 * 1024) room += 1;
    }
    expect(room).toBeLessThan(500);
    expect(long.counts).toMatchObject({ dropped: 1_000 - room });
    await long.close();
    expect(long.counts).toMatchObject({ exported: 0, failed: room });
  });

  it('has room again after its lines have failed', async () => {
    let isWell = false;
    const queue = exportTo(await serve((_, response) => response.writeHead(isWell ? 200 : 400).end()), 'http/protobuf');
    const { logs } = logsTo(queue);
    for (let n = 0; n < 2_048; n++) logs.of('payments').warn('said');
    await expect.poll(() => queue.counts.failed).toBe(2_048);
    isWell = true;
    logs.of('payments').warn('said');
    await queue.close();
    expect(queue.counts).toEqual({ exporter: 'otlp', exported: 1, failed: 2_048, dropped: 0 });
  });
});

it('names the trace of a line, and whether it is sampled', () => {
  const line = JSON.stringify({
    ...{ '@timestamp': '2026-11-30T23:48:16.123Z', 'log.level': 'info', 'service.name': 'mail', message: 'm' },
    ...{ 'trace.id': '4bf92f3577b34da6a3ce929d0e0e4736', 'span.id': '00f067aa0ba902b7', 'http.request.id': 'r' },
  });
  const read = (isSampled: boolean) => new LineReader({ 'host.name': hostname() }).read(line, isSampled);
  const span = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
  expect([read(true).spanContext, read(false).spanContext]).toEqual([
    { ...span, traceFlags: 1 },
    { ...span, traceFlags: 0 },
  ]);
  expect(read(true)).toMatchObject({ hrTime: [1_796_082_496, 123_000_000], attributes: { 'http.request.id': 'r' } });
});

it('are sent only when OTEL_LOGS_EXPORTER asks for it', () => {
  expect([adapters.logExporters(undefined), adapters.logExporters(''), adapters.logExporters('none')]).toEqual([
    [],
    [],
    [],
  ]);
  expect(adapters.logExporters('none, otlp').map(({ name }) => name)).toEqual(['otlp']);
  expect(() => adapters.logExporters('console')).toThrow(
    'OTEL_LOGS_EXPORTER needs an adapter that exports log lines by "console"',
  );
  expect(() => otlp().logExporter!.open({ OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/json' })).toThrow(
    'setting OTEL_EXPORTER_OTLP_LOGS_PROTOCOL must be http/protobuf or grpc, not "http/json"',
  );
});
