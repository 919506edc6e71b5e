import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { beforeEach, describe, expect, it } from 'vitest';
import { endRequestSpan, startRequestSpan } from '../../src/shared/control/gateway/request-span.ts';
import { callSourceOf, Directory, LiveAddresses } from '../../src/shared/control/routing/index.ts';
import { ServiceTracerProvider } from '../../src/shared/control/traces/provider.ts';
import {
  type Call,
  type CallRequest,
  composeSteps,
  road,
  unreachableBecause,
} from '../../src/shared/kernel/calls/index.ts';
import { ManualClock, runInContext } from '../../src/shared/kernel/context/index.ts';
import { command, contract, nothing, type Operation } from '../../src/shared/kernel/contract/index.ts';
import { fromTraceFields, silentLog, toTraceFields, withTrace } from '../../src/shared/kernel/telemetry/index.ts';

let ended: ReadableSpan[];
const parts = { ownService: 'home', resource: {}, sampling: { ratio: 1, byParent: true } };
trace.setGlobalTracerProvider(new ServiceTracerProvider({ ...parts, ended: (span) => void ended.push(span) }));

const operation = (module: string, name: string) =>
  contract(module, { operations: { [name]: command({ summary: 'Sample', input: nothing, output: nothing }) } })
    .operations[name] as unknown as Operation;
const [place, authorize] = [operation('orders', 'place'), operation('payments', 'authorize')];

/** The gateway, orders and payments in three processes. */
class Shop {
  isDown = false;
  /** Number of calls that reached payments, or failed to. */
  calls = 0;
  /** The pings of the breaker that wait for an answer. */
  readonly pings: { resolve(answer: object): void; reject(error: Error): void }[] = [];
  readonly #clock = new ManualClock();
  readonly #directory: Directory;
  readonly #pay: Call;
  readonly #place: Call;

  constructor() {
    const policies = { orders: { attempts: 1 }, payments: { attempts: 1 } };
    this.#directory = new Directory({
      ...{ policies, log: silentLog, clock: this.#clock, random: () => 0, parity: 'fast' },
      modules: ['orders', 'payments'],
      connect: (module: string) => ({ call: (call: CallRequest) => this.#arrive(module, call), close: async () => {} }),
    });
    for (const module of ['orders', 'payments']) {
      const addresses = new LiveAddresses();
      addresses.set([`http://${module}:1`]);
      this.#directory.there(module, addresses);
    }
    const calls = callSourceOf(this.#directory, {});
    [this.#place, this.#pay] = [calls(place, 'gateway'), calls(authorize, 'orders')];
  }

  /** Fails so many calls: the fifth opens the breaker. */
  async fail(calls: number): Promise<void> {
    this.isDown = true;
    for (let n = 0; n < calls; n++) await this.#pay({}).catch(() => {});
    this.calls = 0;
  }

  /** Lets the time pass after which the breaker is half-open, and pings payments. */
  halfOpen(): void {
    this.#clock.advance(1_000);
    expect(this.pings).toHaveLength(1);
  }

  /** Answers a public request whose untrusted client names a trace. */
  async request(): Promise<number> {
    const header = (name: string) => (name === 'traceparent' ? `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` : undefined);
    const { span, context } = startRequestSpan({ method: 'POST', path: '/orders', header }, false, undefined)!;
    const statusCode = await withTrace(context, () => this.#place({})).then(
      () => 201,
      () => 503,
    );
    endRequestSpan(span, statusCode);
    return statusCode;
  }

  /** Serves a call in the process of its module, which has only the fields of the trace. */
  async #arrive(module: string, call: CallRequest): Promise<unknown> {
    if (call.operation.name === 'kerf.ping')
      return new Promise((resolve, reject) => this.pings.push({ resolve, reject }));
    if (module === 'payments') this.calls += 1;
    if (module === 'payments' && this.isDown) throw unreachableBecause('payments', new Error('refused'), false);
    const context = { ...call.context, trace: fromTraceFields(toTraceFields(call.context.trace))! };
    const handle = () => (module === 'orders' ? this.#pay({}) : Promise.resolve({}));
    const serve = composeSteps(
      road.callee,
      { operation: module === 'orders' ? place : authorize },
      ({ context: own }) => runInContext(own, handle),
    );
    return serve({ ...call, context } as never);
  }
}

/** Writes the spans of the trace that ended last: each with all that it says of itself, below its parent. */
function tree(spans = ended): string[] {
  const { traceId } = spans.at(-1)!.spanContext();
  const own = spans.filter((span) => span.spanContext().traceId === traceId);
  const linesBelow = (parent: string | undefined): string[] =>
    own
      .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
      .flatMap((span) => [lineOf(span), ...linesBelow(span.spanContext().spanId).map((line) => `  ${line}`)]);
  const lines = linesBelow(undefined);
  expect(lines).toHaveLength(own.length);
  return lines;
}

function lineOf({ name, kind, status, attributes, links, events, resource }: ReadableSpan): string {
  const { 'error.type': type, 'server.address': address } = attributes;
  return [
    `${resource.attributes['service.name']} ${SpanKind[kind]} ${name}: ${SpanStatusCode[status.code]}`,
    ...(type ? [type] : []),
    ...(address ? [`at ${address}`] : []),
    ...links.map(({ context }) => `linked to ${context.traceId.slice(0, 2)}…`),
    ...events.map((event) => `event ${event.name}`),
  ].join(', ');
}

const failed = [
  'gateway SERVER POST: ERROR, 503, linked to aa…',
  '  gateway CLIENT orders/place: ERROR, unavailable, at http://orders:1',
  '    orders SERVER orders/place: ERROR, unavailable',
];
const call = '      orders CLIENT payments/authorize: ERROR, unavailable';
const answered = [
  'gateway SERVER POST: UNSET, linked to aa…',
  '  gateway CLIENT orders/place: UNSET, at http://orders:1',
  '    orders SERVER orders/place: UNSET',
  '      orders CLIENT payments/authorize: UNSET, at http://payments:1',
  '        payments SERVER payments/authorize: UNSET',
];

const idle = () => new Promise((resolve) => setImmediate(resolve));

describe('the trace of a request whose callee has', () => {
  let shop: Shop;
  beforeEach(() => {
    ended = [];
    shop = new Shop();
  });

  it('a closed breaker is whole', async () => {
    expect([await shop.request(), shop.calls]).toEqual([201, 1]);
    expect(tree()).toEqual(answered);
  });

  it('a breaker that it opens names the instance; the next one ends at the call, which names none', async () => {
    await shop.fail(4);
    expect([await shop.request(), shop.calls]).toEqual([503, 1]);
    expect(tree()).toEqual([...failed, `${call}, at http://payments:1`]);
    expect([await shop.request(), shop.calls]).toEqual([503, 1]);
    expect(tree()).toEqual([...failed, call]);
  });

  it('a half-open breaker is that of an open one, and whole once the breaker has closed', async () => {
    await shop.fail(5);
    shop.isDown = false;
    shop.halfOpen();
    expect([await shop.request(), shop.calls]).toEqual([503, 0]);
    expect(tree()).toEqual([...failed, call]);
    shop.pings.shift()!.resolve({});
    await idle();
    expect([await shop.request(), shop.calls]).toEqual([503, 0]);
    expect(tree()).toEqual([...failed, call]);
    shop.pings.shift()!.resolve({});
    await idle();
    expect([await shop.request(), shop.calls]).toEqual([201, 1]);
    expect(tree()).toEqual(answered);
    expectNoSpanOf('kerf.ping');
  });

  it('a breaker that opens again is that of an open one', async () => {
    await shop.fail(5);
    shop.halfOpen();
    shop.pings.shift()!.reject(new Error('refused'));
    await idle();
    expect([await shop.request(), shop.calls]).toEqual([503, 0]);
    expect(tree()).toEqual([...failed, call]);
    expectNoSpanOf('kerf.ping');
  });
});

/** The pings of a breaker belong to no request. */
function expectNoSpanOf(operation: string): void {
  expect(ended.filter(({ name }) => name.includes(operation))).toEqual([]);
}
