import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { treeOf } from '../../../../test/harness/traces.ts';
import type { AdminRoutes } from '../admin-api/index.ts';
import type { SpanRow, TraceRow } from '../admin-contract/index.ts';
import { SpansOfEndedProcesses } from './ended-processes.ts';
import { serveTraces } from './serve.ts';
import { TraceMemory } from './trace-memory.ts';

const minuteUs = 60_000_000;
const traceId = 'a'.repeat(32);

type Times = readonly [from: number, to: number];

/** The spans of one process. Times are milliseconds of the true time; its clock is ahead of it. */
class Spans {
  readonly rows: SpanRow[] = [];
  private readonly instance: string;
  private readonly aheadUs: number;

  constructor(instance: string, aheadUs = 0) {
    this.instance = instance;
    this.aheadUs = aheadUs;
  }

  add(kind: SpanRow['kind'], name: string, above: string | null, [from, to]: Times, more: Partial<SpanRow> = {}): this {
    const [startUs, endUs] = [from, to].map((ms) => 1_000 * minuteUs + ms * 1_000 + this.aheadUs) as [number, number];
    this.rows.push({
      ...{ traceId, spanId: `${kind} ${name}`, parentSpanId: above, name, kind, service: 'shop', failed: false },
      ...{ instance: this.instance, startUs, durationUs: endUs - startUs, attributes: {}, links: [] },
      ...{ events: [{ name: 'noted', atUs: startUs, attributes: {} }], ...more },
    });
    return this;
  }
}

interface Shown {
  readonly row: TraceRow;
  readonly spans: readonly SpanRow[];
  readonly clocks: unknown;
}

/** Returns what an operator sees of a trace through these processes. */
async function shown(...processes: readonly Spans[]): Promise<Shown> {
  const app: AdminRoutes = new Hono();
  const memory = new TraceMemory({ maxSpans: 1, slowMs: 1, send: () => {} });
  const endedProcesses = new SpansOfEndedProcesses(1_000);
  for (const { rows } of processes) endedProcesses.add({ process: rows[0]!.instance, spans: rows });
  const fanOut = { items: async (_: unknown, items: readonly unknown[]) => ({ items, missed: [] }) };
  serveTraces(app, fanOut as never, { id: 'home', memory, received: memory, endedProcesses, counts: [] });
  const get = async <T>(path: string) => (await (await app.request(path)).json()) as T;
  const { items: rows } = await get<{ items: TraceRow[] }>('/ops/traces');
  const { items, clocks } = await get<{ items: SpanRow[]; clocks: unknown }>(`/ops/traces/${traceId}`);
  expect(rows).toHaveLength(1);
  return { row: rows[0]!, spans: items, clocks };
}

const gateway = () =>
  new Spans('shop-1:7')
    .add('server', 'POST /orders', null, [0, 100])
    .add('client', 'payments/authorize', 'server POST /orders', [20, 80])
    .add('internal', 'wait at the bulkhead', 'client payments/authorize', [20, 25]);
const payments = (aheadUs: number, above = 'client payments/authorize') =>
  new Spans('shop-2:7', aheadUs)
    .add('server', 'payments/authorize', above, [30, 70])
    .add('client', 'unit of work', 'server payments/authorize', [40, 60], {
      attributes: { 'db.namespace': 'payments' },
    })
    .add('client', 'ledger/add', 'server payments/authorize', [61, 69]);
const ledger = (aheadUs: number) =>
  new Spans('shop-3:7', aheadUs).add('server', 'ledger/add', 'client ledger/add', [62, 68]);

it.each([
  ['behind', -3 * minuteUs, 5 * minuteUs],
  ['ahead', 3 * minuteUs, -5 * minuteUs],
  ['ahead by half a second', 500_000, 500_000],
])('a trace through clocks that are %s is one tree in the time of its first process', async (_, second, third) => {
  const right = await shown(gateway(), payments(0), ledger(0));
  const skewed = await shown(ledger(third), payments(second), gateway());
  expect(treeOf(skewed.spans)).toBe(treeOf(right.spans));
  expect(skewed.spans).toEqual(right.spans);
  expect(skewed.row).toEqual(right.row);
  expect(right.row).toMatchObject({ name: 'POST /orders', durationUs: 100_000, spans: 7 });
  expect(right.clocks).toEqual([]);
  expect(skewed.clocks).toEqual([
    { instance: 'shop-2:7', aheadUs: second },
    { instance: 'shop-3:7', aheadUs: third },
  ]);
});

it('a difference of a few milliseconds is no skew', async () => {
  const { spans, clocks, row } = await shown(gateway(), payments(-12_000));
  expect([clocks, row.durationUs]).toEqual([[], 100_000]);
  expect(spans.find(({ kind, name }) => kind === 'server' && name === 'payments/authorize')!.startUs % minuteUs).toBe(
    18_000,
  );
});

it('a process that began after its event was published keeps its time; one that began before is behind', async () => {
  const publisher = () => gateway().add('producer', 'create placed', 'server POST /orders', [50, 50]);
  const subscriber = (aheadUs: number) =>
    new Spans('shop-2:7', aheadUs).add('consumer', 'process placed', 'producer create placed', [90, 120]);
  const later = await shown(publisher(), subscriber(3 * minuteUs));
  expect([later.clocks, later.row.durationUs]).toEqual([[], 3 * minuteUs + 120_000]);
  const earlier = await shown(publisher(), subscriber(-3 * minuteUs));
  expect(earlier.clocks).toEqual([{ instance: 'shop-2:7', aheadUs: -3 * minuteUs + 39_999 }]);
  expect(earlier.spans.map(({ name }) => name)).toEqual([
    ...['POST /orders', 'payments/authorize', 'wait at the bulkhead', 'create placed', 'process placed'],
  ]);
});

it.each([
  ['its caller gave up', { attributes: { 'error.type': 'timeout' } }],
  ['another attempt was answered', { events: [{ name: 'retry', atUs: 0, attributes: {} }] }],
])('a callee that works after %s has no other clock', async (_, more) => {
  const caller = new Spans('shop-1:7')
    .add('server', 'POST /orders', null, [0, 100])
    .add('client', 'payments/authorize', 'server POST /orders', [20, 80], more);
  const callee = new Spans('shop-2:7').add('server', 'payments/authorize', 'client payments/authorize', [300, 9_000]);
  const { clocks, row } = await shown(caller, callee);
  expect([clocks, row.durationUs]).toEqual([[], 9_000_000]);
});

it('a trace that began elsewhere has the time of the process that it came to first', async () => {
  const entry = gateway();
  entry.rows[0] = { ...entry.rows[0]!, parentSpanId: 'of a proxy' };
  const { clocks, row } = await shown(payments(-3 * minuteUs), entry);
  expect(row).toMatchObject({ name: 'POST /orders', startUs: 1_000 * minuteUs, durationUs: 100_000 });
  expect(clocks).toEqual([{ instance: 'shop-2:7', aheadUs: -3 * minuteUs }]);
});

it('a process whose caller is forgotten keeps its time', async () => {
  const { clocks, spans } = await shown(gateway(), payments(3 * minuteUs, 'of a process that crashed'));
  expect([clocks, spans.length]).toEqual([[], 6]);
});
