import { describe, expect, it } from 'vitest';
import { describeWith, type ServerName } from '../../../../test/harness/servers.ts';
import type { Serve } from '../../kernel/calls/index.ts';
import { isNotSent } from '../../kernel/calls/index.ts';
import { serve, transportCases } from '../../kernel/calls/transport.cases.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import type { Inbound } from '../../kernel/ports/index.ts';
import { bodyOf, failureOf, Holding, patient, QueueScene, withScene } from './queue.scene.ts';
import { killedCases, unauthenticatedCases } from './trouble.cases.ts';

const mib = 1024 * 1024;

/** Tests the calls over a broker, on a real server. Every broker must pass. */
export function queueCases(name: ServerName): void {
  describeWith(name, `by ${name}`, ({ url }) => {
    transportCases(name, async () => {
      const scene = new QueueScene(url);
      await scene.serve(serve);
      return { transport: scene.link(), close: () => scene.close() };
    });
    describe('a call over the broker', () => callCases(url));
    describe('an instance', () => instanceCases(url));
    describe('an unauthenticated caller', () => unauthenticatedCases(url));
  });
  describeWith(name, `an outage of ${name}`, () => killedCases(name));
}

function callCases(url: string): void {
  const scene = withScene(url);

  it('is refused as unavailable and not-sent when no instance serves', async () => {
    const error = await failureOf(scene().client().echo({ text: 'x' }, patient));
    expect([isRefusal(error, 'unavailable'), isNotSent(error)]).toEqual([true, true]);
  });

  it('is refused as unavailable after the last instance has left', async () => {
    const server = await scene().serve(serve);
    const client = scene().client();
    await client.echo({ text: 'x' });
    await server.leave();
    expect(isRefusal(await failureOf(client.echo({ text: 'x' }, patient)), 'unavailable')).toBe(true);
  });

  it('is refused as unavailable when its transport closes, and other transports of the process continue', async () => {
    const holding = new Holding();
    await scene().serve(holding.serve);
    const [link, other] = [scene().link(), scene().link()];
    const [call, going] = [link, other].map((each) => failureOf(scene().client(each).when({}, patient)));
    await expect.poll(() => holding.contexts.length).toBe(2);
    await link.close();
    expect(isRefusal(await call, 'unavailable')).toBe(true);
    expect(isRefusal(await failureOf(scene().client(link).echo({ text: 'x' })), 'unavailable')).toBe(true);
    expect(await Promise.race([going, 'in flight'])).toBe('in flight');
  });

  it('does not reach another namespace', async () => {
    await scene().serve(serve, scene().another());
    expect(isRefusal(await failureOf(scene().client().echo({ text: 'x' })), 'unavailable')).toBe(true);
  });

  it('reaches every module of a process', async () => {
    const told: Serve = async (module, _name, input) => ({ ...(input as object), text: module });
    for (const module of ['sample', 'another']) await scene().serve(told, scene().url, module);
    const ways = ['sample', 'another'].map((module) => scene().client(scene().link(scene().url, module)));
    expect(await Promise.all(ways.map((way) => way.echo({ text: 'x' })))).toEqual([
      { text: 'sample' },
      { text: 'another' },
    ]);
  });

  it('is not begun after its deadline', async () => {
    const holding = new Holding();
    await scene().serve(holding.serve);
    const { ask } = await scene().outsider();
    expect(await ask({ body: bodyOf({ deadlineMs: 0 }) })).toMatchObject({ problem: { code: 'timeout' } });
    expect(holding.contexts).toEqual([]);
  });

  it('accepts inputs and answers of 8 MiB, and refuses larger ones with the reason', async () => {
    const answer: Serve = async (_module, _name, input) => ({ text: (input as { text: string }).text.repeat(2) });
    await scene().serve(answer);
    const client = scene().client();
    const half = 'x'.repeat(4 * mib - 100);
    expect((await client.echo({ text: half })).text.length).toBe(2 * half.length);
    const tooLarge = [
      client.echo({ text: 'x'.repeat(4 * mib + 64 * 1024) }),
      client.echo({ text: 'x'.repeat(8 * mib) }),
    ];
    expect(await Promise.all(tooLarge.map(failureOf))).toMatchObject([
      { code: 'body-too-large', message: 'the answer is over 8388608 bytes' },
      { code: 'body-too-large', message: 'the input of sample.echo is over 8388608 bytes' },
    ]);
  });
}

function instanceCases(url: string): void {
  const scene = withScene(url);

  it('shares the calls with others, and loses or fails none when it leaves', async () => {
    const served = { first: 0, second: 0 };
    const counting = (who: keyof typeof served): Serve => {
      return (...call) => {
        served[who] += 1;
        return serve(...call);
      };
    };
    const first = await scene().serve(counting('first'));
    await scene().serve(counting('second'));
    const client = scene().client();
    const answered: number[] = [];
    let left = 4_000;
    const caller = async () => {
      while (left-- > 0) answered.push((await client.strict({ n: left })).n);
    };
    const callers = Promise.all(Array.from({ length: 50 }, caller));
    await expect.poll(() => answered.length).toBeGreaterThan(500);
    expect(Math.min(served.first, served.second)).toBeGreaterThan(100);
    await first.leave();
    await first.close();
    const before = served.first;
    await callers;
    expect([answered.length, served.first, served.first + served.second]).toEqual([4_000, before, 4_000]);
  });

  it('completes its calls while it leaves, and accepts no more', async () => {
    const pending = Promise.withResolvers<object>();
    let begun = 0;
    const first = await scene().serve(() => {
      begun += 1;
      return pending.promise;
    });
    const client = scene().client();
    const call = client.when({}, patient);
    await expect.poll(() => begun).toBe(1);
    const leaving = first.leave();
    await scene().serve(serve);
    expect(await Promise.all([client.strict({ n: 1 }), client.strict({ n: 2 })])).toEqual([{ n: 1 }, { n: 2 }]);
    pending.resolve({});
    expect([await call, await leaving, begun]).toEqual([{}, undefined, 1]);
  });

  it('is told about cancellations of its own calls only', async () => {
    const [first, second] = [new Holding(), new Holding()];
    await scene().serve(first.serve);
    await scene().serve(second.serve);
    const client = scene().client();
    const keys = Array.from({ length: 12 }, (_, n) => `key-${n}`);
    const aborts = keys.map((idempotencyKey) => {
      const abort = new AbortController();
      void failureOf(client.whoAsks({}, { ...patient, idempotencyKey, signal: abort.signal }));
      return abort;
    });
    await expect.poll(() => first.contexts.length + second.contexts.length).toBe(12);
    expect(Math.min(first.contexts.length, second.contexts.length)).toBeGreaterThan(0);
    for (const abort of aborts.slice(0, 6)) abort.abort();
    const all = () => ({ ...first.cancelled, ...second.cancelled });
    await expect.poll(() => Object.values(all()).filter(Boolean).length).toBe(6);
    expect(all()).toEqual(Object.fromEntries(keys.map((key, n) => [key, n < 6])));
  });

  it('is detected as gone when it was the only one and ended silently', async () => {
    const { session } = await scene().outsider();
    const taken: Inbound[] = [];
    await session.subscribe('sample', { one: (message) => taken.push(message), all: () => {} });
    const call = failureOf(scene().client().when({}, patient));
    await expect.poll(() => taken.length).toBe(1);
    await session.close();
    const error = await call;
    expect([isRefusal(error, 'unavailable'), isNotSent(error)]).toEqual([true, false]);
  });

  it('does not begin a call that was cancelled before it arrived', async () => {
    const holding = new Holding();
    await scene().serve(holding.serve);
    const { ask } = await scene().outsider();
    const cancel = Buffer.from(JSON.stringify({ cancel: 'overtaken' }));
    const doubt = Buffer.from(JSON.stringify({ ask: [] }));
    void ask({ to: 'all', body: cancel });
    await ask({ to: 'all', body: doubt });
    expect(await ask({ id: 'overtaken' })).toMatchObject({ problem: { code: 'cancelled' } });
    expect(holding.contexts).toEqual([]);
  });
}
