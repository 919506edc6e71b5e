import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ofService } from '../../kernel/telemetry/index.ts';
import { ServiceTracerProvider } from './provider.ts';
import { TraceMemory } from './trace-memory.ts';

setFlagsFromString('--expose-gc');
globalThis.gc ??= runInNewContext('gc');

let sent: ReadableSpan[];
let memory: TraceMemory;

beforeEach(() => {
  sent = [];
});

function tracer({ ratio = 0, maxSpans = 100, slowMs = 60_000, byParent = true } = {}) {
  memory = new TraceMemory({ maxSpans, slowMs, send: (span) => void sent.push(span) });
  const parts = { ownService: 'home', resource: {}, sampling: { ratio, byParent } };
  return new ServiceTracerProvider({ ...parts, ended: (span) => memory.add(span) }).getTracer('test');
}

const remote = (traceFlags: number, traceId = 'a'.repeat(32)) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b'.repeat(16), traceFlags, isRemote: true });
const names = (spans: Iterable<ReadableSpan>) => [...spans].map(({ name }) => name);
const remembered = () => [...memory.traces()].map(names);

describe('sampling', () => {
  it('sends a sampled trace as its spans end, and remembers it', () => {
    const tracing = tracer({ ratio: 1 });
    const root = tracing.startSpan('root');
    const child = tracing.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root));
    child.end();
    expect(names(sent)).toEqual(['child']);
    root.end();
    expect([names(sent), remembered()]).toEqual([['child', 'root'], [['child', 'root']]]);
  });

  it('follows the parent, whatever the ratio is', () => {
    tracer({ ratio: 0 }).startSpan('sampled', {}, remote(1)).end();
    tracer({ ratio: 1 }).startSpan('not sampled', {}, remote(0)).end();
    expect(names(sent)).toEqual(['sampled']);
  });

  it('ignores the parent when told so', () => {
    tracer({ ratio: 1, byParent: false }).startSpan('sampled', {}, remote(0)).end();
    tracer({ ratio: 0, byParent: false }).startSpan('not sampled', {}, remote(1)).end();
    expect(names(sent)).toEqual(['sampled']);
  });
});

describe('a trace that is not sampled', () => {
  it('is forgotten when it ends, and not sent', () => {
    const tracing = tracer();
    const root = tracing.startSpan('quick');
    tracing.startSpan('below', {}, trace.setSpan(ROOT_CONTEXT, root)).end();
    expect(remembered()).toEqual([['below']]);
    root.end();
    expect([sent, remembered()]).toEqual([[], []]);
  });

  it('is sent whole when one of its spans fails, also with its later spans', () => {
    const tracing = tracer();
    const root = tracing.startSpan('root');
    const below = trace.setSpan(ROOT_CONTEXT, root);
    tracing.startSpan('first', {}, below).end();
    tracing.startSpan('second', {}, below).setStatus({ code: SpanStatusCode.ERROR }).end();
    root.end();
    expect(names(sent)).toEqual(['first', 'second', 'root']);
    expect(sent.map((span) => span.spanContext().traceFlags)).toEqual([1, 1, 1]);
    expect(new Set(sent.map((span) => span.spanContext().traceId)).size).toBe(1);
    // The SDK and the exporters read these of the span behind.
    expect(sent.map(({ ended, kind, duration }) => [ended, kind, duration.length])).toEqual(
      sent.map(() => [true, SpanKind.INTERNAL, 2]),
    );
  });

  it('is sent when its part in this process was slow', () => {
    const tracing = tracer({ slowMs: 0.000_001 });
    const root = tracing.startSpan('root', {}, remote(0));
    tracing.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root)).end();
    expect(sent).toEqual([]);
    root.end();
    expect(names(sent)).toEqual(['child', 'root']);
  });
});

describe('the memory', () => {
  it('forgets the oldest traces whole', () => {
    const tracing = tracer({ ratio: 1, maxSpans: 4 });
    for (const name of ['one', 'two', 'three']) {
      const root = tracing.startSpan(name);
      tracing.startSpan(`below ${name}`, {}, trace.setSpan(ROOT_CONTEXT, root)).end();
      root.end();
    }
    expect(remembered()).toEqual([
      ['below three', 'three'],
      ['below two', 'two'],
    ]);
  });

  it('keeps failed traces while ordinary ones pass, up to half of it', () => {
    const tracing = tracer({ ratio: 1, maxSpans: 10 });
    for (let n = 0; n < 3; n++) tracing.startSpan(`failed ${n}`).setStatus({ code: SpanStatusCode.ERROR }).end();
    for (let n = 0; n < 1_000; n++) tracing.startSpan(`fine ${n}`).end();
    const all = remembered().flat();
    expect(all).toHaveLength(10);
    expect(all.filter((name) => name.startsWith('failed'))).toEqual(['failed 2', 'failed 1', 'failed 0']);
    for (let n = 0; n < 1_000; n++) tracing.startSpan('failed again').setStatus({ code: SpanStatusCode.ERROR }).end();
    expect(remembered().flat()).toHaveLength(10);
  });

  it('keeps a sampled trace that failed, and lets a long kept trace take no more than half', () => {
    const tracing = tracer({ ratio: 1, maxSpans: 10 });
    tracing.startSpan('failed').setStatus({ code: SpanStatusCode.ERROR }).end();
    for (let n = 0; n < 100; n++) tracing.startSpan('fine').end();
    expect(remembered()).toContainEqual(['failed']);
    for (let n = 0; n < 100; n++)
      tracing.startSpan('again', {}, remote(1)).setStatus({ code: SpanStatusCode.ERROR }).end();
    for (let n = 0; n < 100; n++) tracing.startSpan('fine').end();
    expect(
      remembered()
        .flat()
        .filter((name) => name !== 'fine').length,
    ).toBeLessThanOrEqual(6);
    expect(sent.filter(({ name }) => name === 'failed')).toHaveLength(1);
  });

  it('limits a trace that does not end', () => {
    const tracing = tracer({ ratio: 1, maxSpans: 100_000 });
    for (let n = 0; n < 5_000; n++) tracing.startSpan('again', {}, remote(1)).end();
    tracing.startSpan('another').end();
    expect(remembered().map((spans) => spans.length)).toEqual([1, 2_000]);
  });

  it('holds nothing of the context of a finished request', async () => {
    const tracing = tracer({ ratio: 1 });
    const requestOf = (context: Context) => {
      tracing.startSpan('request', {}, context).end();
      return new WeakRef(context);
    };
    const gone = requestOf(ofService('shop').setValue(Symbol('request'), { body: 'x'.repeat(1_000) }));
    await collected(gone);
    expect([gone.deref(), remembered()]).toEqual([undefined, [['request']]]);
  });
});

/** Collects garbage until the reference is gone; at most a hundred times. */
async function collected(gone: WeakRef<object>): Promise<void> {
  for (let turn = 0; turn < 100 && gone.deref(); turn++) {
    // A reference that was read stays alive until the end of its turn.
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc!();
  }
}

describe('services', () => {
  it('give their spans their own resource', () => {
    const tracing = tracer({ ratio: 1 });
    tracing.startSpan('of a module', {}, ofService('orders')).end();
    tracing.startSpan('of nobody').end();
    const services = [...memory.traces()].flat().map((span) => [span.name, span.resource.attributes['service.name']]);
    expect(services).toEqual([
      ['of nobody', 'home'],
      ['of a module', 'orders'],
    ]);
  });

  it('start spans that others make active', () => {
    const tracing = tracer({ ratio: 1 });
    const result = tracing.startActiveSpan('active', { kind: SpanKind.CLIENT }, ofService('orders'), (span) => {
      span.end();
      return 7;
    });
    expect([result, remembered()]).toEqual([7, [['active']]]);
  });

  it('start a span after the one before it, finer than a millisecond', () => {
    const tracing = tracer({ ratio: 1 });
    for (let n = 0; n < 100; n++) tracing.startSpan(`${n}`, {}, remote(1)).end();
    const times = [...memory.traces()].flat().map(({ startTime }) => startTime);
    const starts = times.map(([seconds, nanos]) => seconds * 1e6 + nanos / 1e3);
    expect(starts).toEqual([...starts].sort((one, other) => one - other));
    expect(new Set(starts).size).toBeGreaterThan(10);
    expect(times.every(([, nanos]) => nanos % 1_000 === 0)).toBe(true);
  });

  it('start a span after the one before it when the process pauses between its readings of two clocks', () => {
    const tracing = tracer({ ratio: 1 });
    tracing.startSpan('before', {}, remote(1)).end();
    vi.spyOn(Date, 'now').mockReturnValueOnce(Date.now() - 1_000);
    tracing.startSpan('after', {}, remote(1)).end();
    const [before, after] = [...memory.traces()].flat().map(({ startTime }) => startTime);
    expect(hrTimeToMilliseconds(after!) - hrTimeToMilliseconds(before!)).toBeGreaterThanOrEqual(0);
  });

  it('follow a clock that was set', () => {
    const tracing = tracer({ ratio: 1 });
    const setTo = Date.now() + 3_600_000;
    const clock = vi.spyOn(Date, 'now').mockReturnValue(setTo);
    tracing.startSpan('set', {}, remote(1)).end();
    clock.mockRestore();
    const [started] = [...memory.traces()].flat().map(({ startTime }) => hrTimeToMilliseconds(startTime));
    expect(Math.abs(started! - setTo)).toBeLessThan(60_000);
  });
});
