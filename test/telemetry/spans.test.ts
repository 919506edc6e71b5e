import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { callSourceOf, Directory, LiveAddresses } from '../../src/shared/control/routing/index.ts';
import { ServiceTracerProvider } from '../../src/shared/control/traces/provider.ts';
import { TraceMemory } from '../../src/shared/control/traces/trace-memory.ts';
import type { CallRequest } from '../../src/shared/kernel/calls/index.ts';
import { runInContext, systemClock } from '../../src/shared/kernel/context/index.ts';
import { contract, type Operation, query } from '../../src/shared/kernel/contract/index.ts';
import { refusal } from '../../src/shared/kernel/errors/index.ts';
import {
  endWith,
  fromTraceFields,
  inSpan,
  joinOpenTelemetry,
  ofService,
  silentLog,
  startSpan,
  toTraceFields,
  traced,
  withTrace,
} from '../../src/shared/kernel/telemetry/index.ts';

// The kernel makes its spans by the provider that is registered for the process.
let sent: ReadableSpan[] = [];
const memory = new TraceMemory({ maxSpans: 100, slowMs: 60_000, send: (span) => void sent.push(span) });
const parts = { ownService: 'home', resource: {}, sampling: { ratio: 1, byParent: true } };
trace.setGlobalTracerProvider(new ServiceTracerProvider({ ...parts, ended: (span) => memory.add(span) }));
joinOpenTelemetry();

beforeEach(() => {
  sent = [];
});

const named = (name: string) => sent.find((span) => span.name === name)!;

describe('a span of failed work', () => {
  const failures: [what: string, error: unknown, type: string, status: SpanStatusCode][] = [
    ['a declared refusal', refusal('not-found'), 'not-found', SpanStatusCode.UNSET],
    ['a timeout', refusal('timeout'), 'timeout', SpanStatusCode.ERROR],
    ['an absent module', refusal('unavailable'), 'unavailable', SpanStatusCode.ERROR],
    [
      'an error of the system',
      Object.assign(new Error('no'), { code: 'ECONNRESET' }),
      'ECONNRESET',
      SpanStatusCode.ERROR,
    ],
    ['a bug', new TypeError('ada@example.com is not a function'), 'TypeError', SpanStatusCode.ERROR],
    ['a thrown text', 'ada@example.com', 'string', SpanStatusCode.ERROR],
  ];

  it.each(failures)('says how, without the message: %s', async (_, error, type, code) => {
    await expect(inSpan('work', {}, undefined, () => Promise.reject(error))).rejects.toBe(error);
    const { status, attributes, events } = named('work');
    expect([status.code, attributes, events]).toEqual([code, { 'error.type': type }, []]);
    expect(JSON.stringify([status, attributes])).not.toContain('ada@');
  });
});

describe('the trace of the running code', () => {
  it('is what OpenTelemetry calls active, inside and outside of calls', async () => {
    const { span, context: own } = startSpan('outer', {}, ofService('orders'));
    const below = () => {
      trace.getTracer('somebody').startSpan('theirs').end();
      return traced('ours', {}, async () => context.active());
    };
    const outside = await withTrace(own, below);
    const call = { requestId: 'r', caller: 'gateway', deadline: Number.POSITIVE_INFINITY, trace: own };
    await runInContext(call, below);
    span.end();
    expect(sent.map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId])).toEqual([
      ...[0, 1].flatMap(() => [
        ['theirs', span.spanContext().spanId],
        ['ours', span.spanContext().spanId],
      ]),
      ['outer', undefined],
    ]);
    expect(new Set(sent.map(({ resource }) => resource.attributes['service.name']))).toEqual(new Set(['orders']));
    expect(trace.getSpanContext(outside)?.traceId).toBe(span.spanContext().traceId);
    expect(trace.getSpanContext(context.active())).toBeUndefined();
  });

  it('can be changed for a task by OpenTelemetry, and bound to a function', () => {
    const { context: own } = startSpan('outer', {});
    const id = () => trace.getSpanContext(context.active())?.spanId;
    const call = { requestId: 'r', caller: 'gateway', deadline: Number.POSITIVE_INFINITY };
    const bound = context.bind(own, id);
    const seen = runInContext(call, () => [id(), context.with(own, id), bound(), id()]);
    const { spanId } = trace.getSpanContext(own)!;
    expect([...seen, bound()]).toEqual([undefined, spanId, spanId, undefined, spanId]);
  });

  it('makes no span without a trace', async () => {
    expect(await traced('nothing', {}, async () => 7)).toBe(7);
    expect(sent).toEqual([]);
  });
});

describe('the W3C form of a trace', () => {
  const [traceId, spanId] = ['a'.repeat(32), 'b'.repeat(16)];
  const traceparent = `00-${traceId}-${spanId}-01`;

  it('survives a journey with its state and baggage', () => {
    const fields = { traceparent, tracestate: 'vendor=kept,other=1', baggage: 'tenant=blue%20sky,user=7;secret' };
    const read = fromTraceFields(fields)!;
    expect(toTraceFields(read)).toEqual(fields);
    expect(propagation.getBaggage(read)?.getEntry('tenant')?.value).toBe('blue sky');
  });

  it.each([
    ['nothing', {}],
    ['a number', { traceparent: 7 }],
    ['zeros', { traceparent: `00-${'0'.repeat(32)}-${spanId}-01` }],
    ['capitals', { traceparent: traceparent.toUpperCase() }],
    ['a longer form of version 00', { traceparent: `${traceparent}-more` }],
    ['a megabyte', { traceparent: 'x'.repeat(1_000_000), baggage: `a=${'x'.repeat(1_000_000)}` }],
    ['a state alone', { tracestate: 'vendor=kept' }],
    ['baggage that is none', { baggage: ';;;===,,,' }],
  ])('ignores %s', (_, fields) => {
    expect(fromTraceFields(fields as Parameters<typeof fromTraceFields>[0])).toBeUndefined();
  });

  it('keeps what it knows of a later version, and of unknown flags', () => {
    const later = fromTraceFields({ traceparent: `cc-${traceId}-${spanId}-ff-more` })!;
    expect(toTraceFields(later)).toEqual({ traceparent: `00-${traceId}-${spanId}-03` });
  });

  it('drops only the field that is too long', () => {
    const read = fromTraceFields({ traceparent, tracestate: 'v=1', baggage: `a=${'x'.repeat(10_000)}` })!;
    expect(toTraceFields(read)).toEqual({ traceparent, tracestate: 'v=1' });
  });
});

describe('the span of a call', () => {
  const shop = contract('shop', {
    operations: { find: query({ summary: 'Sample', input: z.object({}), output: z.object({}) }) },
  });
  const find = shop.operations.find as unknown as Operation;

  it('tells of retries, of the instance, and of the wait at a full bulkhead', async () => {
    const attempts: CallRequest[] = [];
    const link = {
      async call(request: CallRequest) {
        attempts.push(request);
        if (attempts.length === 1) throw refusal('overloaded');
        return {};
      },
      close: async () => {},
    };
    const directory = new Directory({
      ...{ policies: { shop: { concurrency: 1 } }, log: silentLog, clock: systemClock, random: () => 0 },
      ...{ modules: ['shop'], parity: 'fast', connect: () => link },
    });
    const addresses = new LiveAddresses();
    addresses.set(['http://10.0.0.7:1']);
    directory.there('shop', addresses);
    const call = callSourceOf(directory, {}, {})(find, 'orders');
    const { span, context: own } = startSpan('request', {}, ofService('orders'));
    const calling = Promise.all(withTrace(own, () => [call({}), call({})]));
    endWith(span, calling);
    await calling;
    const [first] = sent.filter(({ name }) => name === 'shop/find');
    expect(first!.events.map(({ name, attributes }) => [name, attributes?.['kerf.attempt']])).toEqual([['retry', 2]]);
    expect(first!.attributes).toMatchObject({ 'rpc.method': 'shop/find', 'server.address': 'http://10.0.0.7:1' });
    expect(sent.map(({ name }) => name)).toContain('wait at the bulkhead');
    await directory.close();
  });
});
