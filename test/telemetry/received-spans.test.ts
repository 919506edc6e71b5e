import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SpanRow, TraceRow } from '../../src/shared/control/admin-contract/index.ts';
import { eventually, Kerf } from '../harness/kerf.ts';
import { Scraper } from '../harness/metrics.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';
import { traceIdOf } from '../harness/traces.ts';

const token = randomBytes(32).toString('hex');
let kerf: Kerf;
let operator: Operator;
beforeAll(async () => {
  // Recommendations runs somewhere else, where it may be written in any language.
  const placed = { MODULE_SMS: 'http', MODULE_RECOMMENDATIONS: 'http://127.0.0.1:9' };
  kerf = await Kerf.start({ env: { ...placed, TRACES_TOKEN: token, OTEL_TRACES_SAMPLER: 'always_on' } });
  operator = new Operator(kerf);
});
afterAll(async () => expect(await kerf.stop()).toBe(0));

/** The spans of a trace, as operators see them. */
const spansOf = async (traceId: string) =>
  (await operator.ask<{ items?: SpanRow[] }>('GET', `/traces/${traceId}`)).body.items ?? [];

/** Places an order. Returns the span of the call to payments: a program that payments is placed at would continue it. */
async function callOfOrder(): Promise<SpanRow> {
  const { headers } = await (await new Shop(kerf.url).join()).order('WAX');
  return eventually(
    async () => (await spansOf(traceIdOf(headers))).find(({ name }) => name === 'payments/authorize'),
    'the call to payments',
  );
}

/** Makes a span below another as the SDK of OpenTelemetry makes it in a foreign program. */
function foreignSpan({ traceId, spanId }: SpanRow, service: string): ReadableSpan {
  const ended: ReadableSpan[] = [];
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'host.name': 'far-away' }),
    spanProcessors: [
      {
        onStart: () => {},
        onEnd: (span) => void ended.push(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const parent = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  const tracer = provider.getTracer('foreign', '1.2.3');
  const options = { kind: SpanKind.SERVER, attributes: { 'rpc.system': 'grpc', amounts: [1, 2] } };
  const span = tracer.startSpan('Payments/Authorize', options, trace.setSpanContext(ROOT_CONTEXT, parent));
  span.addEvent('asked the bank', { attempt: 1 });
  span.end();
  return ended[0]!;
}

/** Sends spans as a program does that has the SDK of OpenTelemetry. */
type Send = (spans: ReadableSpan[], authorization?: string) => Promise<ExportResult>;

const url = () => `${kerf.announced.internal}/v1/traces`;

const byProto =
  (options: { compression?: never } = {}): Send =>
  async (spans, authorization = `Bearer ${token}`) => {
    const exporter = new OTLPTraceExporter({ ...options, url: url(), headers: { authorization } });
    const result = await new Promise<ExportResult>((resolve) => exporter.export(spans, resolve));
    await exporter.shutdown();
    return result;
  };

const byJson: Send = async (spans, authorization = `Bearer ${token}`) => {
  const body = Buffer.from(JsonTraceSerializer.serializeRequest(spans)!);
  const headers = { authorization, 'content-type': 'application/json' };
  const answer = await fetch(url(), { method: 'POST', headers, body });
  return { code: answer.ok && (await answer.text()) === '{}' ? ExportResultCode.SUCCESS : ExportResultCode.FAILED };
};

const senders: [string, Send][] = [
  ['Protocol Buffers', byProto()],
  ['Protocol Buffers with gzip', byProto({ compression: 'gzip' as never })],
  ['JSON', byJson],
];

describe.each(senders)('a program in another language that sends %s', (_, send) => {
  it('has its span in the trace of the order, below the call to it', async () => {
    const call = await callOfOrder();
    const span = foreignSpan(call, 'java-payments');
    expect(await send([span])).toEqual({ code: ExportResultCode.SUCCESS });
    const found = (await spansOf(call.traceId)).filter(({ service }) => service === 'java-payments');
    expect(found).toEqual([
      {
        ...{ traceId: call.traceId, spanId: span.spanContext().spanId, parentSpanId: call.spanId },
        ...{ name: 'Payments/Authorize', kind: 'server', service: 'java-payments', instance: 'far-away' },
        ...{ startUs: expect.any(Number), durationUs: expect.any(Number), failed: false, links: [] },
        attributes: { 'rpc.system': 'grpc', amounts: [1, 2] },
        events: [{ name: 'asked the bank', atUs: expect.any(Number), attributes: { attempt: 1 } }],
      },
    ]);
    const { body } = await operator.ask<{ items: TraceRow[] }>(
      'GET',
      '/traces?service=java-payments&name=POST /orders',
    );
    expect(body.items.map(({ traceId }) => traceId)).toContain(call.traceId);
  });
});

it('a sender cannot write in the name of a module, wherever this system runs it, and the metrics count it', async () => {
  const call = await callOfOrder();
  const before = await spansOf(call.traceId);
  for (const service of ['payments', 'sms', 'gateway', 'home']) await byProto()([foreignSpan(call, service)]);
  expect((await spansOf(call.traceId)).filter(({ instance }) => instance === 'far-away')).toEqual([]);
  await byProto()([foreignSpan(call, 'recommendations')]);
  expect((await spansOf(call.traceId)).map(({ service }) => service)).toContain('recommendations');
  expect((await spansOf(call.traceId)).length).toBeGreaterThanOrEqual(before.length);
  const counted = await new Scraper(kerf).text();
  expect(counted).toContain(`kerf_spans_received_total{outcome="accepted"} ${senders.length + 1}\n`);
  expect(counted).toContain('kerf_spans_received_total{outcome="rejected"} 4\n');
});

it('a token that is wrong, or that gives other rights, sends no span; that of senders gives no other right', async () => {
  const call = await callOfOrder();
  const operators = readFileSync(join(kerf.dataDir, 'operator-token'), 'utf8').trim();
  const scrapers = readFileSync(join(kerf.dataDir, 'metrics-token'), 'utf8').trim();
  for (const other of [`${token}0`, operators, scrapers]) {
    const result = await byProto()([foreignSpan(call, 'forged')], `Bearer ${other}`);
    expect(result).toMatchObject({ code: ExportResultCode.FAILED, error: { code: 401 } });
  }
  expect((await spansOf(call.traceId)).filter(({ service }) => service === 'forged')).toEqual([]);
  const authorization = `Bearer ${token}`;
  for (const path of ['/ops/traces', '/metrics', '/v1/logs'])
    expect((await fetch(`${kerf.announced.internal}${path}`, { headers: { authorization } })).status).toBe(401);
  expect(kerf.stderr).not.toContain(token);
});

it('answers JSON as the specification says, and reads a body without a length', async () => {
  const call = await callOfOrder();
  const nanos = `${call.startUs}000`;
  const span = { traceId: call.traceId, spanId: 'c'.repeat(16), parentSpanId: call.spanId, name: 'py', kind: 2 };
  const spans = [{ ...span, startTimeUnixNano: nanos, endTimeUnixNano: nanos }, span];
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'python-payments' } }] };
  const body = new Blob([JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })]).stream();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(url(), { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
  expect([answer.status, answer.headers.get('content-type'), await answer.json()]).toEqual([
    ...[200, 'application/json'],
    { partialSuccess: { rejectedSpans: 1, errorMessage: expect.stringContaining('1 rejected: a time is missing') } },
  ]);
  const [found] = (await spansOf(call.traceId)).filter(({ service }) => service === 'python-payments');
  expect(found).toMatchObject({ parentSpanId: call.spanId, kind: 'server', startUs: call.startUs });
});

it('refuses a body that is too large while its sender still sends', async () => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const large = Buffer.alloc(6 * 1024 * 1024, ' ');
  for (const body of [large, new Blob([large]).stream()]) {
    const answer = await fetch(url(), { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
    expect([answer.status, await answer.json()]).toEqual([
      413,
      { message: expect.stringContaining('at most 4194304') },
    ]);
  }
});

it('sends received spans on, with the resource of their sender', async () => {
  // The first process receives the span and exports it to the second. Spans of the first itself have names of modules there.
  const env = {
    TRACES_TOKEN: token,
    OTEL_EXPORTER_OTLP_ENDPOINT: kerf.announced.internal,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${token}`,
  };
  const first = await Kerf.start({ env });
  const call = await callOfOrder();
  const exporter = new OTLPTraceExporter({
    url: `${first.announced.internal}/v1/traces`,
    headers: { authorization: `Bearer ${token}` },
  });
  const span = foreignSpan(call, 'java-bank');
  await new Promise((resolve) => exporter.export([span], resolve));
  await exporter.shutdown();
  const found = await eventually(
    async () => (await spansOf(call.traceId)).find(({ service }) => service === 'java-bank'),
    'the span at the second process',
  );
  expect(found).toMatchObject({ name: 'Payments/Authorize', instance: 'far-away', parentSpanId: call.spanId });
  expect(await first.stop()).toBe(0);
});

it('there is no such route without a token', async () => {
  const closed = await Kerf.start();
  const route = `${closed.announced.internal}/v1/traces`;
  for (const body of ['{}', new Blob(['{}']).stream()])
    expect((await fetch(route, { method: 'POST', body, duplex: 'half' } as RequestInit)).status).toBe(401);
  const authorization = `Bearer ${readFileSync(join(closed.dataDir, 'operator-token'), 'utf8').trim()}`;
  expect((await fetch(route, { method: 'POST', body: '{}', headers: { authorization } })).status).toBe(404);
  expect(await closed.stop()).toBe(0);
});
