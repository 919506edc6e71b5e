import { gzipSync } from 'node:zlib';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import protobuf from 'protobufjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { refusal } from '../../kernel/errors/index.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { SpanReceiver } from './span-receiver.ts';
import { TraceMemory } from './trace-memory.ts';

const now = Date.UTC(2026, 0, 1);
const nanos = (ms: number) => String(BigInt(ms) * 1_000_000n);
const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const plain = { ...ids, name: 'work', startTimeUnixNano: nanos(now), endTimeUnixNano: nanos(now + 5) };
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const requestOf = (spans: readonly unknown[], service = 'java-shop') => ({
  resourceSpans: [{ resource: { attributes: [text('service.name', service)] }, scopeSpans: [{ spans }] }],
});
const json = 'application/json';
const proto = 'application/x-protobuf';

let memory: TraceMemory;
let sent: ReadableSpan[];
let receiver: SpanReceiver;
beforeEach(() => {
  sent = [];
  memory = new TraceMemory({ maxSpans: 5_000, slowMs: 60_000, send: (span) => void sent.push(span) });
  const guard = (authorization: string | null) => {
    if (authorization !== 'Bearer right') throw refusal('unauthenticated', 'send the token');
  };
  receiver = new SpanReceiver({ memory, guard, log: silentLog, now: () => now });
});

interface Sent {
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

/** Sends a body as an exporter does. */
async function send({ body, type = json, headers = {}, method = 'POST' }: Sent) {
  const answer = await receiver.answer(
    new Request('http://kerf/v1/traces', {
      ...{ method, duplex: 'half', ...(method !== 'GET' && { body }) },
      headers: { 'content-type': type, authorization: 'Bearer right', ...headers },
    } as RequestInit),
    (service) => ['orders', 'gateway'].includes(service),
  );
  const shown = await answer.text();
  expect(shown).not.toMatch(/\.ts|\bat .+:\d/);
  return { status: answer.status, headers: answer.headers, text: shown };
}

/** Sends spans as JSON. Returns how many were rejected, and why. */
async function sendSpans(spans: readonly unknown[], service?: string): Promise<{ rejected: number; why: string }> {
  const answer = await send({ body: JSON.stringify(requestOf(spans, service)) });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, json]);
  const { partialSuccess = {} } = JSON.parse(answer.text) as {
    partialSuccess?: { rejectedSpans?: number; errorMessage?: string };
  };
  return { rejected: partialSuccess.rejectedSpans ?? 0, why: partialSuccess.errorMessage ?? '' };
}

/** Sends one span that must be accepted, and returns it as it is remembered. */
async function remembered(span: object, service?: string): Promise<ReadableSpan> {
  expect(await sendSpans([span], service)).toEqual({ rejected: 0, why: '' });
  return memory.spansOf(ids.traceId)[0]!;
}

const counts = () => receiver.family().samples.map(({ labels, value }) => [labels.outcome, value]);

it('remembers a span with all that it has, and sends it on with the resource of its sender', async () => {
  const span = await remembered({
    ...{ ...plain, parentSpanId: 'c'.repeat(16), kind: 2, flags: 0x301 },
    attributes: [text('http.route', '/pay'), { key: 'n', value: { intValue: '7' } }],
    events: [{ name: 'retry', timeUnixNano: nanos(now + 1), attributes: [{ key: 'ok', value: { boolValue: true } }] }],
    links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16) }],
    status: { code: 2, message: 'declined' },
  });
  expect(sent).toEqual([span]);
  expect(span.spanContext()).toEqual({ ...ids, traceFlags: 1 });
  expect(span.parentSpanContext).toMatchObject({ spanId: 'c'.repeat(16), isRemote: true });
  expect(span).toMatchObject({
    ...{ name: 'work', kind: SpanKind.SERVER, startTime: [now / 1_000, 0], duration: [0, 5_000_000], ended: true },
    ...{ attributes: { 'http.route': '/pay', n: 7 }, status: { code: SpanStatusCode.ERROR, message: 'declined' } },
    events: [{ name: 'retry', time: [now / 1_000, 1_000_000], attributes: { ok: true } }],
    links: [{ context: { traceId: 'd'.repeat(32), spanId: 'e'.repeat(16) } }],
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  });
  expect(span.resource.attributes).toEqual({ 'service.name': 'java-shop' });
});

describe('a span is rejected and counted', () => {
  const hour = 3_600_000;
  it.each<[string, object, string]>([
    ['without a trace id', { traceId: undefined }, 'id'],
    ['with a trace id of zeros', { traceId: '0'.repeat(32) }, 'id'],
    ['with a short trace id', { traceId: 'a'.repeat(16) }, 'id'],
    ['with a trace id of other letters', { traceId: 'x'.repeat(32) }, 'id'],
    ['with an endless span id', { spanId: 'b'.repeat(100_000) }, 'id'],
    ['with a span id of zeros', { spanId: '0'.repeat(16) }, 'id'],
    ['with a short id of the parent', { parentSpanId: 'abc' }, 'parent'],
    ['without a start', { startTimeUnixNano: undefined }, 'clock'],
    ['with a time that is no number', { startTimeUnixNano: 'soon' }, 'clock'],
    ['with an end that is no number', { endTimeUnixNano: 'late' }, 'clock'],
    ['of the day before yesterday', { startTimeUnixNano: nanos(now - 48 * hour) }, 'clock'],
    ['of the next hour', { endTimeUnixNano: nanos(now + hour) }, 'clock'],
    ['with an endless time', { endTimeUnixNano: '9'.repeat(400) }, 'clock'],
  ])('%s', async (_, change, why) => {
    const answer = await sendSpans([
      { ...plain, ...change },
      { ...plain, spanId: '1'.repeat(16) },
    ]);
    expect(answer).toEqual({ rejected: 1, why: expect.stringContaining(why) });
    expect(memory.spansOf(ids.traceId)).toHaveLength(1);
    expect(counts()).toEqual([
      ['accepted', 1],
      ['rejected', 1],
    ]);
  });

  it.each(['orders', 'gateway', ' Orders\n'])('of the service %j, which runs in this system', async (service) => {
    const answer = await sendSpans([plain], service);
    expect(answer).toEqual({ rejected: 1, why: expect.stringContaining('set another service.name') });
    expect([...memory.traces()]).toEqual([]);
  });

  it('beyond 2,048 of a request', async () => {
    const many = Array.from({ length: 3_000 }, (_, n) => ({
      ...plain,
      spanId: (n + 1).toString(16).padStart(16, '0'),
    }));
    expect(await sendSpans(many)).toEqual({ rejected: 952, why: '952 rejected: a request may have 2048 spans' });
  });
});

describe('a span is accepted, shortened', () => {
  const nest = (depth: number): object =>
    depth === 0 ? { stringValue: 'deep' } : { arrayValue: { values: [nest(depth - 1)] } };

  it('with an end before its start', async () => {
    const span = await remembered({ ...plain, endTimeUnixNano: nanos(now - 5) });
    expect([span.duration, span.endTime]).toEqual([[0, 0], span.startTime]);
  });

  it('with 10,000 attributes, events and links', async () => {
    const attributes = Array.from({ length: 10_000 }, (_, n) => text(`k${n}`, 'v'));
    const events = Array.from({ length: 10_000 }, () => ({ name: 'e', timeUnixNano: nanos(now) }));
    const links = Array.from({ length: 10_000 }, () => ids);
    const span = await remembered({ ...plain, attributes, events, links });
    expect([Object.keys(span.attributes).length, span.events.length, span.links.length]).toEqual([128, 128, 128]);
    expect([span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount]).toEqual([
      9_872, 9_872, 9_872,
    ]);
  });

  it('with long texts', async () => {
    const long = Array.from({ length: 100 }, (_, n) => text(`k${n}`, 'x'.repeat(10_000)));
    const span = await remembered({ ...plain, name: 'n'.repeat(100_000), attributes: long });
    expect(span.name).toBe('n'.repeat(255));
    expect(span.attributes.k0).toBe('x'.repeat(1_024));
    expect(JSON.stringify(span.attributes).length).toBeLessThan(20_000);
    expect(Object.keys(span.attributes).length + span.droppedAttributesCount).toBe(100);
  });

  it('with names in several lines, and letters that are none', async () => {
    const attributes = [text('a\r\nb', 'one\ntwo'), text('half', '\ud800')];
    const span = await remembered({ ...plain, name: 'GET /\r\n\tadmin\u0000', attributes });
    expect(span.name).toBe('GET / admin ');
    expect(span.attributes).toEqual({ 'a b': 'one\ntwo', half: '\ufffd' });
  });

  it('with values of every kind, nested 100 deep, or none', async () => {
    const values: Record<string, unknown> = {
      list: { arrayValue: { values: [{ intValue: 1 }, { intValue: '2' }] } },
      mixed: { arrayValue: { values: [{ intValue: 1 }, { stringValue: 'a' }] } },
      map: { kvlistValue: { values: [{ key: 'a', value: { doubleValue: 1.5 } }] } },
      bytes: { bytesValue: 'AAE=' },
      large: { intValue: '9223372036854775807' },
      deep: nest(100),
      trap: { intValue: { toString: 1 } },
      __proto__2: { stringValue: 'x' },
      nothing: {},
      unknown: null,
      broken: { arrayValue: 7 },
    };
    const attributes = [...Object.entries(values).map(([key, value]) => ({ key, value })), text('__proto__', 'y')];
    const span = await remembered({ ...plain, attributes });
    expect(span.attributes).toMatchObject({
      ...{ list: [1, 2], mixed: '[1,"a"]', map: '{"a":1.5}', bytes: 'AAE=', large: '9223372036854775807' },
      deep: '[[[[[[[["…"]]]]]]]]',
    });
    expect(Object.keys(span.attributes)).toContain('__proto__');
    expect(Object.keys(span.attributes)).not.toContain('trap');
    expect(span.droppedAttributesCount).toBe(3);
  });

  it('with null for all that it leaves out, and a kind of later releases', async () => {
    const none = { parentSpanId: '', attributes: null, events: null, links: [{ traceId: 'x' }], status: null };
    const span = await remembered({ ...plain, ...none, name: null, kind: 99 });
    expect([span.name, span.kind, span.parentSpanContext]).toEqual(['unknown', SpanKind.INTERNAL, undefined]);
    expect([span.links, span.droppedLinksCount]).toEqual([[], 1]);
  });
});

describe('Protocol Buffers', () => {
  /** Writes a field that contains other fields. */
  const field = (number: number, content: Uint8Array) =>
    new Uint8Array(
      protobuf.Writer.create()
        .uint32((number << 3) | 2)
        .bytes(content)
        .finish(),
    );
  const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  const letters = (shown: string) => new TextEncoder().encode(shown);
  const times = protobuf.Writer.create()
    .uint32(0x39)
    .fixed64(nanos(now))
    .uint32(0x41)
    .fixed64(nanos(now + 5))
    .finish();
  const spanIn = (...more: Uint8Array[]) =>
    join(field(1, Buffer.alloc(16, 0xaa)), field(2, Buffer.alloc(8, 0xbb)), field(5, letters('work')), times, ...more);
  const bodyOf = (...spans: Uint8Array[]) => field(1, field(2, join(...spans.map((each) => field(2, each)))));

  it.each([false, true])('is read; compressed: %s', async (isCompressed) => {
    const body = bodyOf(spanIn(field(200, letters('of a later release'))));
    const headers: Record<string, string> = isCompressed ? { 'content-encoding': 'gzip' } : {};
    const answer = await send({ body: isCompressed ? new Uint8Array(gzipSync(body)) : body, type: proto, headers });
    expect([answer.status, answer.headers.get('content-type'), answer.text]).toEqual([200, proto, '']);
    const [span] = memory.spansOf(ids.traceId);
    expect(span).toMatchObject({ name: 'work', duration: [0, 5_000_000] });
    expect(span!.resource.attributes).toEqual({ 'service.name': 'unknown_service' });
  });

  it('is answered with the number of rejected spans in the same form', async () => {
    const { status, text: shown } = await send({ body: bodyOf(times), type: proto });
    expect([status, shown]).toEqual([200, expect.stringContaining('1 rejected: the trace id')]);
  });

  it('may nest a value without end', async () => {
    let value: Uint8Array = field(1, letters('deep'));
    for (let depth = 0; depth < 2_000; depth++) value = field(5, field(1, value));
    const broken = field(9, join(field(1, letters('broken')), field(2, field(6, letters('\u0001')))));
    const nested = field(9, join(field(1, letters('deep')), field(2, value)));
    const { status } = await send({ body: bodyOf(spanIn(nested, broken)), type: proto });
    const [span] = memory.spansOf(ids.traceId);
    expect([status, span!.attributes]).toEqual([200, { deep: '[[[[[[[["…"]]]]]]]]', broken: 'unreadable' }]);
  });

  it('is refused when it ends too early', async () => {
    const whole = bodyOf(spanIn());
    for (const length of [1, 5, whole.length - 1]) {
      const { status, headers, text: shown } = await send({ body: whole.slice(0, length), type: proto });
      expect([status, headers.get('content-type')]).toEqual([400, proto]);
      expect(shown).toContain('The body is no ExportTraceServiceRequest');
    }
  });
});

describe('a request is refused', () => {
  const body = JSON.stringify(requestOf([plain]));
  const gzip = { 'content-encoding': 'gzip' };
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(64 * 1024 * 1024, ' ')));
  const inChunks = () => new Blob([Buffer.alloc(5 * 1024 * 1024)]).stream();
  it.each<[string, number, () => Sent]>([
    ['without the token', 401, () => ({ body, headers: { authorization: '' } })],
    ['with another token', 401, () => ({ body, headers: { authorization: 'Bearer wrong' } })],
    ['by another method', 405, () => ({ body, method: 'GET' })],
    ['in another form', 415, () => ({ body, type: 'text/plain' })],
    ['with another compression', 415, () => ({ body, headers: { 'content-encoding': 'br' } })],
    ['as JSON that ends too early', 400, () => ({ body: body.slice(0, -5) })],
    ['as an empty body of JSON', 400, () => ({ body: '' })],
    ['as JSON of another form', 400, () => ({ body: '{"resourceSpans":[{"scopeSpans":7}]}' })],
    [
      'as JSON with a span that is none',
      400,
      () => ({ body: JSON.stringify(requestOf([plain, { ...plain, kind: 'server' }])) }),
    ],
    [
      'with a sender for each of 3,000 spans',
      400,
      () => ({ body: JSON.stringify({ resourceSpans: Array(3_000).fill({}) }) }),
    ],
    ['as JSON that is not UTF-8', 400, () => ({ body: new Uint8Array([0x22, 0xff, 0x22]) })],
    ['as gzip that is none', 400, () => ({ body, headers: gzip })],
    ['with a length over the limit', 413, () => ({ body, headers: { 'content-length': '5000000' } })],
    ['with too many bytes in chunks', 413, () => ({ body: inChunks() })],
    ['with too many bytes inside gzip', 413, () => ({ body: bomb, headers: gzip })],
  ])('%s: %i', async (_, status, sending) => {
    const answer = await send(sending());
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, json]);
    expect(JSON.parse(answer.text)).toEqual({ message: expect.any(String) });
    expect([...memory.traces()]).toEqual([]);
  });

  it('for a while, when too many bodies are in memory', async () => {
    const ends: (() => void)[] = [];
    const unfinished = () =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from(body));
          ends.push(() => controller.close());
        },
      });
    const waiting = Array.from({ length: 8 }, () => send({ body: unfinished() }));
    const { status, headers } = await send({ body });
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    for (const end of ends) end();
    expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual(waiting.map(() => 200));
    expect((await send({ body })).status).toBe(200);
  });
});

it('takes spans without a sender and without values, as JSON allows', async () => {
  const spans = [{ ...plain, attributes: [{ key: 'a' }, {}] }];
  const { status, text: shown } = await send({
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }, {}] }, {}] }),
  });
  expect([status, shown]).toEqual([200, '{}']);
  expect(memory.spansOf(ids.traceId)[0]!.resource.attributes).toEqual({ 'service.name': 'unknown_service' });
});

it('takes a span that is sent again once', async () => {
  for (let n = 0; n < 3; n++) await sendSpans([plain]);
  expect([memory.spansOf(ids.traceId).length, sent.length]).toEqual([1, 1]);
});
