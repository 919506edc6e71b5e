import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { describeWith } from '../harness/servers.ts';
import {
  ask,
  ingestOf,
  jaegerTrace,
  openSearch,
  scrapedOf,
  victoriaLogs,
  type ZipkinSpan,
  zipkinTrace,
} from '../harness/telemetry-servers.ts';

describeWith('zipkin', 'Zipkin', ({ url }) => {
  it('returns a trace when all its spans have arrived', async () => {
    const [parent, child] = zipkinSpans();
    await post(`${url}/api/v2/spans`, [child]);
    const found = zipkinTrace(parent.traceId, { enough: (spans) => spans.length === 2 });
    await post(`${url}/api/v2/spans`, [parent]);
    expect((await found).map(({ id }) => id).sort()).toEqual([parent.id, child.id].sort());
  });
});

describeWith('jaeger', 'Jaeger', () => {
  it('takes spans over OTLP and Zipkin, and returns them with their services', async () => {
    const { http, zipkin } = ingestOf('jaeger');
    const [parent, child] = zipkinSpans();
    await post(`${http}/v1/traces`, otlpTraces(parent));
    await post(`${zipkin}/api/v2/spans`, [child]);
    const spans = await jaegerTrace(parent.traceId, { enough: (found) => found.length === 2 });
    expect(spans.map(({ service }) => service).sort()).toEqual(['orders', 'payments']);
    const { references } = spans.find(({ spanID }) => spanID === child.id)!;
    expect(references).toMatchObject([{ refType: 'CHILD_OF', spanID: parent.id }]);
  });
});

describeWith('otel-collector', 'the OpenTelemetry Collector', () => {
  it('offers metrics to a scrape', async () => {
    const { http } = ingestOf('otel-collector');
    const name = `placed_${randomBytes(4).toString('hex')}`;
    const points = [{ asInt: '3', timeUnixNano: `${Date.now()}000000` }];
    const metrics = [{ name, sum: { dataPoints: points, aggregationTemporality: 2, isMonotonic: true } }];
    await post(`${http}/v1/metrics`, { resourceMetrics: [{ resource: {}, scopeMetrics: [{ metrics }] }] });
    await expect
      .poll(async () => (await fetch(`http://${scrapedOf()}/metrics`)).text())
      .toMatch(new RegExp(`^${name}_total\\{.*\\} 3$`, 'm'));
  });

  describeWith('jaeger', 'in front of Jaeger', () => {
    it('passes spans on from OTLP and from Zipkin', async () => {
      const { http, zipkin } = ingestOf('otel-collector');
      const [parent, child] = zipkinSpans();
      await post(`${http}/v1/traces`, otlpTraces(parent));
      await post(`${zipkin}/api/v2/spans`, [child]);
      expect(await jaegerTrace(parent.traceId, { enough: (found) => found.length === 2 })).toHaveLength(2);
    });
  });

  describeWith('victoria-logs', 'in front of VictoriaLogs', () => {
    it('passes log lines on', async () => {
      const { http } = ingestOf('otel-collector');
      const message = `Placed ${randomUUID()}`;
      const logRecords = [{ timeUnixNano: `${Date.now()}000000`, body: { stringValue: message } }];
      await post(`${http}/v1/logs`, { resourceLogs: [{ resource: {}, scopeLogs: [{ logRecords }] }] });
      expect(await victoriaLogs(`_msg:"${message}"`)).toMatchObject([{ _msg: message }]);
    });
  });
});

describeWith('opensearch', 'OpenSearch', ({ url }) => {
  const index = `logs-test-${randomUUID()}`;
  afterEach(() => ask(`${url}/${index}`, { method: 'DELETE' }));

  it('returns the lines of a trace in their order', async () => {
    const lines = logLines();
    await bulk(`${url}/_bulk`, { index: { _index: index } }, [...lines].reverse());
    const query = `trace.id:"${lines[0]!['trace.id']}"`;
    expect(await openSearch(query, { enough: (found) => found.length === 2, index })).toEqual(lines);
  });
});

describeWith('victoria-logs', 'VictoriaLogs', ({ url }) => {
  it('returns the lines of a trace in their order', async () => {
    const lines = logLines();
    const fields = '_msg_field=message&_time_field=@timestamp&_stream_fields=service.name';
    await bulk(`${url}/insert/elasticsearch/_bulk?${fields}`, { create: {} }, [...lines].reverse());
    const query = `"trace.id":${lines[0]!['trace.id']}`;
    const found = await victoriaLogs(query, { enough: ({ length }) => length === 2 });
    expect(found.map((line) => [line._msg, line['service.name']])).toEqual(
      lines.map((line) => [line.message, line['service.name']]),
    );
  });
});

/** Two spans of one trace: an order, and its payment. */
function zipkinSpans(): [ZipkinSpan, ZipkinSpan] {
  const traceId = randomBytes(16).toString('hex');
  const [id, childId] = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')];
  const timestamp = Date.now() * 1_000;
  const span = { traceId, timestamp, duration: 1_000 };
  return [
    { ...span, id, name: 'place', kind: 'SERVER', localEndpoint: { serviceName: 'orders' } },
    { ...span, id: childId, parentId: id, name: 'authorize', localEndpoint: { serviceName: 'payments' } },
  ];
}

function otlpTraces({ traceId, id, name, timestamp = 0, localEndpoint }: ZipkinSpan) {
  const [startTimeUnixNano, endTimeUnixNano] = [`${timestamp}000`, `${timestamp + 1_000}000`];
  const spans = [{ traceId, spanId: id, name, kind: 2, startTimeUnixNano, endTimeUnixNano }];
  const attributes = [{ key: 'service.name', value: { stringValue: localEndpoint?.serviceName } }];
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] };
}

function logLines() {
  const id = randomBytes(16).toString('hex');
  return ['orders', 'payments'].map((service, index) => ({
    '@timestamp': new Date(Date.now() + index).toISOString(),
    message: `${service} did its part`,
    'service.name': service,
    'trace.id': id,
  }));
}

async function post(url: string, body: unknown): Promise<void> {
  await send(url, 'application/json', JSON.stringify(body));
}

async function bulk(url: string, action: object, lines: readonly object[]): Promise<void> {
  const body = lines.flatMap((line) => [action, line]).map((line) => `${JSON.stringify(line)}\n`);
  await send(url, 'application/x-ndjson', body.join(''));
}

async function send(url: string, type: string, body: string): Promise<void> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
  expect(answer.ok, `${url} answered ${answer.status}`).toBe(true);
}
