import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { lives, Scene } from '../../crash/scene.ts';
import { deep } from '../../harness/deep.ts';
import { SteadyLoad } from '../../harness/load.ts';
import { Operator } from '../../harness/operator.ts';
import { releaseThat } from '../../harness/release.ts';
import { describeWith } from '../../harness/servers.ts';
import { Shop } from '../../harness/shop.ts';

interface Report {
  readonly to: string;
  readonly gapMs: number;
  readonly events: { pendingBefore: number; pendingAfter: number; heldBefore: number; heldAfter: number };
  readonly timers: { before: number; after: number };
  readonly sagas: { underWay: number; ended: number; handedOver: number; found: number };
}

interface Refused {
  readonly detail: string;
}

const viaOf = (placement: string) => placement.split('?')[0];

describe('a module that is moved again and again', () => {
  /** Moves the module to each of the placements, the first `slowMoves` times with a saga in flight that takes 3 s. */
  const losesNothing = async (module: string, placements: readonly string[], slowMoves: number) => {
    const scene = new Scene();
    const kerf = await scene.start();
    const operator = new Operator(kerf);
    const shop = await new Shop(kerf.url).join();
    const load = new SteadyLoad(shop, ['/orders'], 50);
    await load.answers(10);
    const slow: Promise<{ status: number }>[] = [];
    const order = (token: string) => slow.push(shop.order('WAX', 1, { token, key: randomUUID(), wait: 0 }));
    let before = 'in-process';
    for (const [index, placement] of placements.entries()) {
      if (index < slowMoves) order('tok_slow');
      order('tok_declined');
      const { status, body } = await operator.ask<Report>('PUT', `/modules/${module}`, { placement, forNow: true });
      expect([status, body]).toEqual([200, expect.objectContaining({ to: placement })]);
      expect(body.events.pendingAfter).toBeLessThanOrEqual(body.events.pendingBefore);
      expect(body.timers).toEqual({ before: body.timers.before, after: body.timers.before });
      // A leader that stays where it is hands over nothing.
      if (viaOf(placement) !== viaOf(before)) expect(body.timers.before).toBeGreaterThan(0);
      before = placement;
      expect(body.sagas.found).toBe(body.sagas.handedOver);
      await load.answers(5);
    }
    expect(await load.stop()).toEqual([]);
    for (const { status } of await Promise.all(slow)) expect([201, 202, 402]).toContain(status);
    await scene.endsWell(kerf, load.orderAnswers);
  };

  const twice = ['http', 'in-process', 'http', 'in-process'];
  const ways = ['http', 'grpc', 'http?instances=3', 'http', 'in-process'];
  it('loses nothing: out by http, by grpc, in three http processes, in one, and in', () =>
    losesNothing('orders', ways, 2));
  it('loses nothing: out and in, then out and in by the same ways', deep, () =>
    losesNothing('orders', ['http', 'in-process', ...ways], 2),
  );
  it.each(['orders', 'payments', 'inventory', 'notifications'])('%s: loses nothing out and in, twice', deep, (name) =>
    losesNothing(name, twice, twice.length),
  );
  it.each(['grpc', 'http?instances=2'])('loses nothing: %s', deep, (placement) =>
    losesNothing('orders', ['http', placement, 'http?instances=3', 'http', 'in-process', placement, 'in-process'], 0),
  );
});

it('relocates a module while another process on the same data is the leader', async () => {
  const scene = new Scene();
  const first = await scene.start();
  const second = await scene.start();
  const operator = new Operator(second);
  const load = new SteadyLoad(await new Shop(second.url).join(), ['/orders'], 50);
  await load.answers(5);
  for (const placement of ['http', 'in-process']) {
    const { status, body } = await operator.ask<Report>('PUT', '/modules/payments', { placement, forNow: true });
    expect([status, body]).toEqual([200, expect.objectContaining({ to: placement, timers: { before: 0, after: 0 } })]);
    await load.answers(5);
  }
  expect(await first.stop()).toBe(0);
  await load.answers(5);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(second, load.orderAnswers);
});

for (const server of ['rabbitmq', 'nats'] as const) {
  describeWith(server, `a module called over ${server}`, ({ url }) => {
    it('is extracted to the queue, scaled, restarted, changed to http and absorbed, without a failure', async () => {
      const scene = new Scene({ BUS: `${url}?namespace=test-${randomUUID()}` });
      const kerf = await scene.start();
      const operator = new Operator(kerf);
      const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders'], 50);
      await load.answers(10);
      const move = (order: object) => operator.ask<Report>('PUT', '/modules/payments', { forNow: true, ...order });
      for (const placement of ['queue', 'queue?instances=3', 'queue', 'http', 'queue?instances=2', 'in-process']) {
        const { status, body } = await move({ placement });
        expect([status, body]).toEqual([200, expect.objectContaining({ to: placement })]);
        await load.answers(5);
        if (placement !== 'queue?instances=2') continue;
        const pids = await kerf.readyPidsOf('payments');
        expect((await move({ placement, again: true })).status).toBe(200);
        expect(pids.some((pid) => lives(pid))).toBe(false);
        await load.answers(5);
      }
      expect(await load.stop()).toEqual([]);
      await scene.endsWell(kerf, load.orderAnswers);
    });

    it('gets no calls in new processes before they are ready, and refuses a mirror', deep, async () => {
      const scene = new Scene({ BUS: `${url}?namespace=test-${randomUUID()}` });
      const kerf = await scene.start();
      const operator = new Operator(kerf);
      const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders'], 50);
      const move = (order: object) => operator.ask<Refused>('PUT', '/modules/payments', { forNow: true, ...order });
      expect((await move({ placement: 'queue' })).status).toBe(200);
      // This release exits during its first call.
      const deadly = releaseThat("process.on('message', ({ what }) => what === 'fetch-calls' && process.exit(3));");
      const { status, body } = await move({ placement: `queue?artifact=${deadly}` });
      expect([status, body.detail]).toEqual([503, expect.stringMatching(/at "move calls", .*taken back/)]);
      await load.answers(5);
      const tried = await move({ placement: 'queue', again: true, mirror: { forMs: 1_000 } });
      expect([tried.status, tried.body.detail]).toEqual([409, expect.stringContaining('take from the same queue')]);
      expect(await load.stop()).toEqual([]);
      await scene.endsWell(kerf, load.orderAnswers);
    });
  });
}
