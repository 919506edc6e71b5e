import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { otlp } from '../../src/shared/adapters/otlp/index.ts';
import { zipkin } from '../../src/shared/adapters/zipkin/index.ts';
import type { ExportQueue } from '../../src/shared/control/exporting/index.ts';
import { exportSpans } from '../../src/shared/control/traces/export-spans.ts';
import { ServiceTracerProvider } from '../../src/shared/control/traces/provider.ts';
import { TraceMemory } from '../../src/shared/control/traces/trace-memory.ts';

const servers: Server[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const exporters = {
  otlp: { port: otlp().spanExporter!, variable: 'OTEL_EXPORTER_OTLP_ENDPOINT', path: '/v1/traces' },
  zipkin: { port: zipkin().spanExporter!, variable: 'OTEL_EXPORTER_ZIPKIN_ENDPOINT', path: '/api/v2/spans' },
};

/** The client is loaded before the time for an answer begins. */
async function exportTo(
  name: keyof typeof exporters,
  url: string,
  answerWithinMs = 300,
): Promise<ExportQueue<ReadableSpan>> {
  const { port, variable, path } = exporters[name];
  vi.stubEnv(variable, name === 'zipkin' ? `${url}${path}` : url);
  const exporter = await port.open(process.env);
  return exportSpans(name, Promise.resolve(exporter), answerWithinMs);
}

/** Ends `count` sampled spans and hands them to `queue`. */
function spans(count: number, queue: ExportQueue<ReadableSpan>): void {
  const memory = new TraceMemory({ maxSpans: 10, slowMs: 1_000, send: (span: ReadableSpan) => queue.send(span) });
  const parts = { ownService: 'home', resource: {}, sampling: { ratio: 1, byParent: true } };
  const provider = new ServiceTracerProvider({ ...parts, ended: (span) => memory.add(span) });
  for (let n = 0; n < count; n++) {
    const root = provider.getTracer('test').startSpan(`span ${n}`, { attributes: { n } });
    trace.setSpan(ROOT_CONTEXT, root);
    root.end();
  }
}

describe.each(['otlp', 'zipkin'] as const)('an exporter by %s', (name) => {
  it('sends spans and counts them', async () => {
    const seen: [string | undefined, string | undefined, number][] = [];
    const url = await serve((request, response) => {
      let size = 0;
      request.on('data', (chunk: Buffer) => (size += chunk.length));
      request.on('end', () => {
        seen.push([request.url, request.headers['content-type'], size]);
        response.writeHead(name === 'zipkin' ? 202 : 200).end();
      });
    });
    const queue = await exportTo(name, url, 10_000);
    spans(3, queue);
    await queue.close();
    const type = name === 'zipkin' ? 'application/json' : 'application/x-protobuf';
    expect(seen).toEqual([[exporters[name].path, type, expect.any(Number)]]);
    expect(queue.counts).toEqual({ exporter: name, exported: 3, failed: 0, dropped: 0 });
  });

  const bad: [string, RequestListener][] = [
    ['answers 400', (_, response) => response.writeHead(400).end('no')],
    ['answers 413', (_, response) => response.writeHead(413).end()],
    ['answers 429', (_, response) => response.writeHead(429, { 'retry-after': '1000' }).end()],
    ['answers 503', (_, response) => response.writeHead(503).end()],
    ['does not answer', () => {}],
    ['hangs up', (request) => request.socket.destroy()],
  ];

  it.each(bad)('counts the spans as failed when the server %s', async (_, answer) => {
    const queue = await exportTo(name, await serve(answer));
    spans(3, queue);
    await queue.close();
    expect(queue.counts).toEqual({ exporter: name, exported: 0, failed: 3, dropped: 0 });
  });

  it('counts the spans as failed when nobody listens', async () => {
    const queue = await exportTo(name, 'http://127.0.0.1:9');
    spans(3, queue);
    await queue.close();
    expect(queue.counts).toEqual({ exporter: name, exported: 0, failed: 3, dropped: 0 });
  });

  it('drops what finds no room, and keeps nothing of it', async () => {
    const queue = await exportTo(name, await serve(() => {}));
    spans(5_000, queue);
    expect(queue.counts).toMatchObject({ dropped: 5_000 - 2_048 });
    await queue.close();
    expect(queue.counts).toMatchObject({ exported: 0, failed: 2_048 });
  });
});

it('does not follow a redirect, which the client of Zipkin takes for a success', async () => {
  const elsewhere = vi.fn();
  const location = await serve(elsewhere);
  const url = await serve((_, response) => response.writeHead(307, { location }).end());
  const outcomes = [];
  for (const name of ['otlp', 'zipkin'] as const) {
    const queue = await exportTo(name, url);
    spans(1, queue);
    await queue.close();
    outcomes.push(queue.counts);
  }
  expect(outcomes).toMatchObject([{ failed: 1 }, { exported: 1 }]);
  expect(elsewhere).not.toHaveBeenCalled();
});

it('refuses a protocol that it does not speak', () => {
  const open = () => otlp().spanExporter!.open({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' });
  expect(open).toThrow('setting OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or grpc, not "http/json"');
});
