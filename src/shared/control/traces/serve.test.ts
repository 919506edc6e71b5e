import { type Context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { Hono } from 'hono';
import { beforeEach, describe, expect, it } from 'vitest';
import { ofService } from '../../kernel/telemetry/index.ts';
import type { AdminRoutes } from '../admin-api/index.ts';
import type { SpanRow, TraceRow } from '../admin-contract/index.ts';
import { SpansOfEndedProcesses } from './ended-processes.ts';
import { ServiceTracerProvider } from './provider.ts';
import { serveTraces } from './serve.ts';
import { TraceMemory } from './trace-memory.ts';

/** A process that remembers traces. Asks `others` as the home process does. */
class TracingProcess {
  readonly memory = new TraceMemory({ maxSpans: 100_000, slowMs: 60_000, send: () => {} });
  readonly received = new TraceMemory({ maxSpans: 100, slowMs: 60_000, send: () => {} });
  readonly endedProcesses = new SpansOfEndedProcesses(3);
  readonly #app: AdminRoutes = new Hono();
  readonly #provider = new ServiceTracerProvider({
    ...{ ownService: 'home', resource: { 'service.instance.id': 'same' }, sampling: { ratio: 1, byParent: true } },
    ended: (span) => this.memory.add(span),
  });

  constructor(id: string, others: readonly TracingProcess[] = []) {
    const askAll = async (path: string) => Promise.all(others.map((other) => other.asked(path)));
    const fanOut = {
      async items<T>({ req }: { req: { url: string } }, own: readonly T[]) {
        const { pathname, search } = new URL(req.url);
        const answers = await askAll(`${pathname}${search}`);
        return { items: [...own, ...answers.flatMap(({ items }) => items as T[])], missed: [] };
      },
    };
    serveTraces(this.#app, fanOut as Parameters<typeof serveTraces>[1], {
      ...{ id, memory: this.memory, received: this.received, endedProcesses: this.endedProcesses, counts: [] },
    });
  }

  /** Records a span from and to these seconds since 1970. Returns the context below it. */
  record(name: string, { service = 'home', from = 1, to = 2, above = ROOT_CONTEXT, failed = false } = {}): Context {
    const tracer = this.#provider.getTracer('test');
    const span = tracer.startSpan(name, { startTime: new Date(from * 1_000) }, ofService(service, above));
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(new Date(to * 1_000));
    return trace.setSpan(above, span);
  }

  /** Answers a request that another process passed on. */
  async asked(path: string): Promise<{ items: object[] }> {
    return (await this.#app.request(path, {}, { passedOn: 'a module' })).json() as Promise<{ items: object[] }>;
  }

  async list(query = ''): Promise<TraceRow[]> {
    return ((await (await this.#app.request(`/ops/traces${query}`)).json()) as { items: TraceRow[] }).items;
  }

  async spans(id: string): Promise<SpanRow[]> {
    return ((await (await this.#app.request(`/ops/traces/${id}`)).json()) as { items: SpanRow[] }).items;
  }
}

describe('a trace through two processes', () => {
  let home: TracingProcess;
  let other: TracingProcess;
  let traceId: string;
  beforeEach(() => {
    other = new TracingProcess('other');
    // A process that runs several modules is asked for each.
    home = new TracingProcess('home', [other, other]);
    traceId = orderThrough(home, other);
  });

  it('is one row of the list', async () => {
    expect(await home.list()).toEqual([
      {
        ...{ traceId, name: 'POST /orders', service: 'gateway', spans: 3, services: ['gateway', 'payments'] },
        ...{ startUs: 1_000_000, durationUs: 900_000, failed: true },
      },
    ]);
  });

  it.each([
    ['?service=payments', 1],
    ['?service=board', 0],
    ['?name=unit', 1],
    ['?name=POST', 1],
    ['?name=GET', 0],
    ['?failed=true', 1],
    ['?failed=false', 0],
    ['?minMs=900', 1],
    ['?minMs=901', 0],
  ])('is found by %s as one of %i', async (query, count) => {
    expect(await home.list(query)).toHaveLength(count);
  });

  it('leaves its process summed up for a list, and with all spans for itself', async () => {
    const [summary] = (await other.asked('/ops/traces')).items;
    expect(summary).toMatchObject({ traceId, spans: 2 });
    expect(JSON.stringify(summary)).not.toMatch(/attributes|spanId/);
    expect((await home.spans(traceId)).map(({ name }) => name)).toEqual([
      'POST /orders',
      'payments/authorize',
      'unit of work',
    ]);
  });

  it('of a process that answers otherwise is left out', async () => {
    const strange = { asked: async () => ({ items: [{ traceId, spanId: 'x', name: 'POST /orders' }] }) };
    const asking = new TracingProcess('asking', [strange as never, other]);
    expect((await asking.list()).map(({ spans }) => spans)).toEqual([2]);
  });
});

describe('the spans of other programs', () => {
  it('are shown in the same trace, and take the place of none of this system', async () => {
    const home = new TracingProcess('home');
    const request = home.record('POST /orders', { service: 'gateway', from: 1, to: 1.8 });
    const [own] = home.memory.spansOf(trace.getSpanContext(request)!.traceId);
    const of = (name: string, spanId: string): ReadableSpan => ({
      ...{ name, kind: own!.kind, startTime: [1, 5_000_000], endTime: [1, 6_000_000], duration: [0, 1_000_000] },
      ...{ status: { code: SpanStatusCode.UNSET }, attributes: {}, events: [], links: [], ended: true },
      ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
      ...{ resource: resourceFromAttributes({ 'service.name': 'java-shop' }), instrumentationScope: { name: 'java' } },
      ...{ spanContext: () => ({ ...own!.spanContext(), spanId }), parentSpanContext: own!.spanContext() },
    });
    for (const span of [of('pay', 'c'.repeat(16)), of('forged', own!.spanContext().spanId)]) home.received.add(span);
    const shown = (await home.spans(own!.spanContext().traceId)).map((row) => [row.name, row.service, row.instance]);
    expect(shown).toEqual([
      ['POST /orders', 'gateway', 'same'],
      ['pay', 'java-shop', 'unknown'],
    ]);
    expect(await home.list('?service=java-shop')).toMatchObject([{ name: 'POST /orders', service: 'gateway' }]);
  });
});

describe('the spans of a process that has ended', () => {
  const traceId = 'a'.repeat(32);
  const ids = ({ items }: { items: object[] }) => items.map((row) => (row as SpanRow).spanId);
  const span = (spanId: string, of = traceId): SpanRow => ({
    ...{ traceId: of, spanId, parentSpanId: null, name: 'order', kind: 'server', service: 'shop', instance: 'gone' },
    ...{ startUs: 1, durationUs: 1, failed: false, attributes: { a: 1 }, events: [], links: [] },
  });

  it('are shown with those of the process that has taken them over', async () => {
    const home = new TracingProcess('home');
    home.endedProcesses.add({ process: 'gone', spans: [span('1'), span('2'), span('3', 'b'.repeat(32))] });
    expect((await home.list()).map((row) => [row.traceId, row.spans])).toEqual([
      [traceId, 2],
      ['b'.repeat(32), 1],
    ]);
    expect(await home.spans(traceId)).toEqual([span('1'), span('2')]);
  });

  it('are forgotten when other processes have sent more', async () => {
    const home = new TracingProcess('home');
    for (const process of ['1', '2', '3', '4']) home.endedProcesses.add({ process, spans: [span(process)] });
    expect(ids(await home.asked(`/ops/traces/${traceId}`)).sort()).toEqual(['2', '3', '4']);
  });

  it('are refused in another form', () => {
    expect(() => new TracingProcess('home').endedProcesses.add({ process: '1', spans: [{ name: 'order' }] })).toThrow(
      'spans.0',
    );
  });
});

it('a process contributes at most 2,000 traces to a list', async () => {
  const home = new TracingProcess('home');
  for (let n = 0; n < 2_500; n++) home.record(`${n}`);
  expect((await home.asked('/ops/traces')).items).toHaveLength(2_000);
});

/** Records an order from 1 s to 1.9 s, with a unit of work that fails in the other process. Returns the id of its trace. */
function orderThrough(home: TracingProcess, other: TracingProcess): string {
  const request = home.record('POST /orders', { service: 'gateway', from: 1, to: 1.8 });
  const call = other.record('payments/authorize', { service: 'payments', above: request, from: 1.2, to: 1.9 });
  other.record('unit of work', { service: 'payments', above: call, from: 1.3, to: 1.4, failed: true });
  return trace.getSpanContext(request)!.traceId;
}
