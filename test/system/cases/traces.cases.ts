import { expect, it } from 'vitest';
import type { SpanRow, TraceRow } from '../../../src/shared/control/admin-contract/index.ts';
import { eventually } from '../../harness/kerf.ts';
import { Operator } from '../../harness/operator.ts';
import { traceIdOf, treeOf, treeOfOrder } from '../../harness/traces.ts';
import type { System } from './system.ts';

export function traceCases(system: System): void {
  const isForwarded = () =>
    system.kerf.announced.modules.find(({ name }) => name === 'orders')!.placement !== 'in-process';
  const expectedTree = () => treeOfOrder(isForwarded(), system.kerf.announced.bus.split(':')[0]);
  const operator = () => new Operator(system.kerf);
  const spansOf = async (traceId: string) =>
    (await operator().ask<{ items: SpanRow[] }>('GET', `/traces/${traceId}`)).body.items;

  it('shows the whole road of an order, with its messages, in one trace', async () => {
    const member = await system.shop.join({ phone: '+82 10 1234 5678' });
    const { status, headers } = await member.order('WAX');
    expect(status).toBe(201);
    const traceId = traceIdOf(headers);
    let tree = '';
    const isWhole = async () => {
      tree = treeOf(await spansOf(traceId));
      return tree === expectedTree();
    };
    await eventually(isWhole, 'the whole trace', 20_000).catch(() => {});
    expect(tree).toBe(expectedTree());
  });

  it('shows a refused order, with what was taken back', async () => {
    const member = await system.shop.join();
    const { status, headers } = await member.order('WAX', 1, { token: 'tok_declined' });
    expect(status).toBe(402);
    const traceId = traceIdOf(headers);
    const compensated = await eventually(async () => {
      const spans = await spansOf(traceId);
      return spans.find(({ name }) => name === 'compensate reserve stock') && spans;
    }, 'the compensation');
    const refused = compensated.filter(({ name }) => name === 'payments/authorize');
    expect(refused.map(({ attributes }) => attributes['error.type'])).toEqual(['payment-declined', 'payment-declined']);
    expect(refused.map(({ failed }) => failed)).toEqual([false, false]);
  });

  it('does not continue the trace of a stranger, but links it', async () => {
    const stranger = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const given = { traceparent: stranger, baggage: 'tenant=blue' };
    const { headers } = await system.shop.send('GET', '/products/WAX', undefined, given);
    const traceId = traceIdOf(headers);
    expect(traceId).not.toBe('a'.repeat(32));
    const spans = await eventually(async () => {
      const found = await spansOf(traceId);
      return found.length > 0 && found.some(({ kind }) => kind === 'server') && found;
    }, 'the trace');
    const [first] = spans.filter(({ parentSpanId }) => parentSpanId === null);
    expect(first).toMatchObject({
      name: 'GET /products/:sku',
      links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }],
    });
  });

  it.each([
    ['nothing', ''],
    ['zeros', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`],
    ['a text', 'x'.repeat(300)],
    ['an unknown version', `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
  ])('begins a trace of its own when the client names %s', async (_, traceparent) => {
    const { status, headers } = await system.shop.send('GET', '/products/WAX', undefined, { traceparent });
    expect([status, traceIdOf(headers)]).toEqual([200, expect.stringMatching(/^(?!0{32})[0-9a-f]{32}$/)]);
  });

  it('finds traces by service, name and outcome', async () => {
    const { headers } = await system.ada.order('WAX');
    const traceId = traceIdOf(headers);
    const ids = async (query: string) => {
      const { body } = await operator().ask<{ items: TraceRow[] }>('GET', `/traces?limit=500&${query}`);
      return body.items.map((trace) => trace.traceId);
    };
    await eventually(
      async () => (await ids('service=payments&name=saga checkout')).includes(traceId),
      'the trace in the list',
    );
    expect(await ids('service=board')).not.toContain(traceId);
    expect(await ids('failed=true')).not.toContain(traceId);
    expect(await operator().ask('GET', '/traces/no-such-trace')).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
    expect(await operator().ask('GET', '/traces?limit=0')).toMatchObject({
      status: 422,
      body: { code: 'invalid-input' },
    });
  });
}
