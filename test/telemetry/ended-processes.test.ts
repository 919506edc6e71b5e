import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SpanRow, TraceRow } from '../../src/shared/control/admin-contract/index.ts';
import { eventually, Kerf } from '../harness/kerf.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';
import { traceIdOf } from '../harness/traces.ts';

let kerf: Kerf;
let operator: Operator;
beforeAll(async () => {
  kerf = await Kerf.start({ env: { MODULE_PAYMENTS: 'http', OTEL_TRACES_SAMPLER_ARG: '1' } });
  operator = new Operator(kerf);
});
afterAll(async () => expect(await kerf.stop()).toBe(0));

/** Returns the processes that have spans of payments in a trace. */
async function instancesOf(traceId: string): Promise<string[]> {
  const { body } = await operator.ask<{ items?: SpanRow[] }>('GET', `/traces/${traceId}`);
  const spans = body.items?.filter(({ service }) => service === 'payments') ?? [];
  return [...new Set(spans.map(({ instance }) => instance))];
}

// No exporter has the spans. Each process ends, and the next order goes through the process that took over.
it('the traces of a process are still there after its module was replaced and absorbed', async () => {
  const member = await new Shop(kerf.url).join();
  const traceIds: string[] = [];
  const pids: string[] = [];
  for (const move of [{ placement: 'http', again: true }, { placement: 'in-process' }]) {
    pids.push(`:${await kerf.pidOf('payments')}`);
    const { status, headers } = await member.order('WAX');
    expect(status).toBe(201);
    traceIds.push(traceIdOf(headers));
    expect(await operator.ask('PUT', '/modules/payments', { ...move, forNow: true })).toMatchObject({ status: 200 });
  }
  for (const [at, traceId] of traceIds.entries()) {
    const found = await eventually(async () => {
      const instances = await instancesOf(traceId);
      return instances.length > 0 && instances;
    }, 'the spans of the process that ended');
    expect(found).toEqual([expect.stringContaining(pids[at]!)]);
  }
  const { body } = await operator.ask<{ items: TraceRow[] }>('GET', '/traces?service=payments&limit=500');
  expect(body.items.map(({ traceId }) => traceId)).toEqual(expect.arrayContaining(traceIds));
});
