import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, Kerf } from '../harness/kerf.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';
import { inZipkin, traceIdOf, treeOfOrder } from '../harness/traces.ts';
import { ZipkinCollector } from '../harness/zipkin-collector.ts';

const whole = inZipkin(treeOfOrder(false));
let collector: ZipkinCollector;
let traceIds: string[];

// The processes that served some of the calls end before the test looks, and send their spans before.
beforeAll(async () => {
  collector = await ZipkinCollector.open();
  const env = { OTEL_TRACES_SAMPLER_ARG: '1', OTEL_EXPORTER_ZIPKIN_ENDPOINT: collector.endpoint };
  const kerf = await Kerf.start({ env });
  const member = await new Shop(kerf.url).join({ phone: '+82 10 1234 5678' });
  traceIds = [];
  let moves = true;
  const ordering = (async () => {
    while (moves) traceIds.push(traceIdOf((await member.order('WAX')).headers));
  })();
  for (const placement of ['http', 'in-process']) {
    const moved = await new Operator(kerf).ask('PUT', '/modules/payments', { placement, forNow: true });
    expect(moved).toMatchObject({ status: 200 });
  }
  moves = false;
  await ordering;
  const isWhole = async () => traceIds.every((traceId) => collector.treeOf(traceId) === whole);
  // The tests below say what is missing.
  await eventually(isWhole, 'every trace', 30_000).catch(() => {});
  expect(await kerf.stop()).toBe(0);
});
afterAll(() => collector.close());

it('each order is whole while payments moves out and back', () => {
  expect(traceIds.length).toBeGreaterThan(1);
  expect(traceIds.map((traceId) => collector.treeOf(traceId))).toEqual(traceIds.map(() => whole));
});

const moveOut = `
home internal move payments
  home internal step close
    payments client unit of work payments
  home internal step contract
  home internal step drain
  home internal step hand over
    payments client unit of work payments
  home internal step move calls
  home internal step persist
  home internal step preflight
  home internal step start
  home internal step warm
`.trim();

it('each move is a trace with its steps', () => {
  // On the way back, the units of work belong to the other process.
  const moveBack = moveOut.replaceAll(/^ +payments .*\n/gm, '');
  const trees = collector.tracesNamed('move payments').map((traceId) => collector.treeOf(traceId));
  expect(trees).toEqual([moveOut, moveBack]);
});
