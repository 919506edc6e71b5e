import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Authority, fixedKeyRing, ServiceTokens } from '../../control/identity/index.ts';
import type { Client } from '../contract/index.ts';
import { ChaosProxy, type Fate, type Fates } from './chaos-proxy.scene.ts';
import { createCall, createClient } from './client.ts';
import { outcomeOf } from './giving-up.cases.ts';
import { isDeliveryUnknown, isNotSent } from './resilience/delivery-status.ts';
import { callee, sample } from './sample.cases.ts';
import type { Link } from './transport.ts';

/** A transport under test that crosses a network, whose other end is `serve`. */
export interface OpenWire {
  /** Where the callee, or the broker between, listens on this machine. */
  readonly port: number;
  /**
   * A way to the callee as if it listened at `port`, of a process that shows other tokens where they are given. It notices within a
   * second, or less, that a connection is dead.
   */
  link(port: number, tokens?: ServiceTokens): Link;
  /** Within which it connects again by itself after it was cut off. Without it: with the very next call. */
  readonly reconnectsWithinMs?: number;
  /** Stops the callee, or the broker, as a crash does; runs `meanwhile`; starts it again at the same port. */
  restart?(meanwhile: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** What a caller has to hand in a case. */
interface Scene {
  wire(): OpenWire;
  /** Opens a way through a network of its own, and makes the first call, so that there is a connection. */
  through(fates?: Fates): Promise<{ proxy: ChaosProxy; client: Client<typeof sample> }>;
  /** Opens a way that meets nothing. */
  direct(tokens?: ServiceTokens): Client<typeof sample>;
  /** Checks that calls are answered again without any intervention. */
  works(client: Client<typeof sample>, withinMs?: number): Promise<void>;
}

/** Tests the duties of every transport over a network when the network or the other end fails. */
export function wireCases(name: string, open: () => Promise<OpenWire>): void {
  describe(`a call by ${name} over a network`, () => {
    const opened: { close(): Promise<void> }[] = [];
    let wire: OpenWire;
    const clientAt = (port: number, tokens?: ServiceTokens) => {
      const link = wire.link(port, tokens);
      opened.push(link);
      return createClient(sample, (operation) => createCall(operation, 'other', () => link));
    };
    const scene: Scene = {
      wire: () => wire,
      async through(fates) {
        const proxy = await ChaosProxy.open(wire.port, fates);
        opened.push(proxy);
        const client = clientAt(proxy.port);
        expect(await client.echo({ text: 'first' })).toEqual({ text: 'first' });
        return { proxy, client };
      },
      direct: (tokens) => clientAt(wire.port, tokens),
      works: (client, withinMs = wire.reconnectsWithinMs ?? 0) => works(client, withinMs),
    };
    beforeAll(async () => {
      wire = await open();
    });
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
    });
    afterAll(() => wire.close());

    cutCases(scene);
    identityCases(scene);
    restartCases(scene);
    deadCases(scene);
    lateCases(scene);
    slowCases(scene);
  });
}

/** Tests that a caller is not blamed when two processes do not accept each other. */
function identityCases({ direct, works }: Scene): void {
  const ring = fixedKeyRing('OTHER', 'another secret of more than 32 characters');

  it('is unavailable when the callee does not accept this process, and was not begun', async () => {
    const { times } = callee.added;
    const refused: unknown = await direct(new ServiceTokens(ring))
      .add({ n: 1 })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'unavailable', cause: { code: 'unauthenticated' } });
    expect([isNotSent(refused), callee.added.times]).toEqual([true, times]);
  });

  it('is made with another token once one was not accepted', async () => {
    let keys = ring;
    const changing = { signing: () => keys.signing(), find: (kid: string) => keys.find(kid), all: () => keys.all() };
    const client = direct(new ServiceTokens(new Authority(changing)));
    expect(await outcomeOf(client.add({ n: 1 }, { timeoutMs }))).toBe('unavailable');
    keys = fixedKeyRing('TEST', 'a secret of more than 32 characters');
    await works(client, 3_000);
  });
}

async function works(client: Client<typeof sample>, withinMs: number): Promise<void> {
  const until = Date.now() + withinMs;
  for (;;) {
    const outcome = await outcomeOf(client.echo({ text: 'again' }, { timeoutMs: 200 }));
    if (Date.now() >= until || (outcome !== 'unavailable' && outcome !== 'timeout')) {
      return expect(outcome).toEqual({ text: 'again' });
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The longest that a call of these cases takes, so that none is left over for the next. */
const timeoutMs = 1_000;

function cutCases({ wire, through, works }: Scene): void {
  it('is unavailable when the connection is cut before it arrives; the next one works', async () => {
    const { proxy, client } = await through();
    const { times } = callee.added;
    proxy.meet({ requests: { cutAfterBytes: 0 } });
    expect(await outcomeOf(client.add({ n: 1 }, { timeoutMs }))).toBe('unavailable');
    expect(callee.added.times).toBe(times);
    await works(client);
    expect(proxy.accepted).toBeGreaterThan(1);
  });

  it('is unavailable when the connection is cut while the callee works, and so are all beside it', async () => {
    const { proxy, client } = await through();
    const ids = Array.from({ length: 10 }, () => randomUUID());
    const outcomes = Promise.all(ids.map((id) => outcomeOf(client.hold({ id }, { timeoutMs }))));
    await Promise.all(ids.map((id) => callee.held.begun(id)));
    proxy.cut();
    expect(await outcomes).toEqual(ids.map(() => 'unavailable'));
    await works(client);
  });

  it('is unavailable when the connection is cut in the middle of the answer', async () => {
    const { proxy, client } = await through();
    proxy.meet({ answers: { cutAfterBytes: 100_000 } });
    expect(await outcomeOf(client.grow({ letters: 300_000 }, { timeoutMs }))).toBe('unavailable');
    await works(client);
  });

  it('is not concerned by what happened to the connection after the one before was answered', async () => {
    const { proxy, client } = await through();
    await proxy.end();
    await works(client);
  });

  it('ends wherever the connection is cut, on the way there and back', async () => {
    const places: Fate[] = [0, 1, 8, 40, 150, 250, 400, 600, 1_000].map((cutAfterBytes) => ({ cutAfterBytes }));
    const ways = places.flatMap((place): Fates[] => [{ requests: place }, { answers: place }]);
    const outcomes = ways.map(async (fates) => {
      const proxy = await ChaosProxy.open(wire().port, fates);
      const link = wire().link(proxy.port);
      const echo = createCall(sample.operations.echo as never, 'other', () => link);
      const outcome = await outcomeOf(echo({ text: 'x' }, { timeoutMs }));
      await Promise.all([link.close(), proxy.close()]);
      return outcome;
    });
    for (const outcome of await Promise.all(outcomes)) expect(['unavailable', { text: 'x' }]).toContainEqual(outcome);
  });
}

function restartCases({ wire, direct, works }: Scene): void {
  it('is unavailable while nobody is there, and works when somebody is there again', async ({ skip }) => {
    skip(!wire().restart, 'what would have to be restarted belongs to somebody else');
    const client = direct();
    await client.echo({ text: 'before' });
    const id = randomUUID();
    const inFlight = outcomeOf(client.hold({ id }, { timeoutMs }));
    await callee.held.begun(id);
    await wire().restart!(async () => {
      expect(await inFlight).toBe('unavailable');
      for (let call = 0; call < 3; call++) {
        expect(await outcomeOf(client.echo({ text: 'meanwhile' }, { timeoutMs }))).toBe('unavailable');
      }
    });
    await works(client);
  });
}

function lateCases({ direct, through }: Scene): void {
  it('has a little less time than its caller, so that it can say that it was late', async () => {
    // On a busy machine, a call may be late; the next one tells.
    const leftOf = (timeoutMs: number) => vi.waitFor(() => direct().timeLeft({}, { timeoutMs }), { timeout: 60_000 });
    expect((await leftOf(1_000)).ms).toBeLessThanOrEqual(900);
    expect((await leftOf(100)).ms).toBeLessThanOrEqual(75);
  });

  it('tells who says that something was late from who says nothing', async () => {
    const fails = (call: Promise<unknown>) => call.then(() => 'an answer', isDeliveryUnknown);
    expect(await fails(direct().refuseAs({ code: 'timeout' }))).toBe(false);
    const { proxy, client } = await through();
    proxy.meet({ requests: 'swallow', answers: 'swallow' });
    expect(await fails(client.echo({ text: 'x' }, { timeoutMs: 50 }))).toBe(true);
  });
}

function deadCases({ through, direct, works }: Scene): void {
  it('ends by its deadline when the connection is dead and does not know it; later ones find another', async () => {
    const { proxy, client } = await through();
    proxy.meet({ requests: 'swallow', answers: 'swallow' });
    expect(await outcomeOf(client.echo({ text: 'x' }, { timeoutMs: 50 }))).toBe('timeout');
    await works(client, 3_000);
    expect(proxy.accepted).toBeGreaterThan(1);
  });

  it('waits no longer than its deadline for a callee that stops reading; others go on', async () => {
    const { proxy, client } = await through();
    const other = direct();
    await other.echo({ text: 'first' });
    proxy.meet({ requests: 'stall' });
    const text = 'x'.repeat(50 * 1024);
    const outcomes = Promise.all(
      Array.from({ length: 20 }, (_, n) => outcomeOf(client.echo({ text }, { timeoutMs: 20 + n }))),
    );
    for (let call = 0; call < 20; call++) await other.echo({ text: 'other' }, { timeoutMs });
    for (const outcome of await outcomes) expect(['timeout', 'unavailable', { text }]).toContainEqual(outcome);
    await works(client, 3_000);
  });

  it('keeps no answers for a caller that does not read them, and holds up nobody else', async () => {
    const { proxy, client } = await through();
    const other = direct();
    await other.echo({ text: 'first' });
    const before = heldBytes();
    proxy.meet({ answers: 'stall' });
    const outcomes: Promise<unknown>[] = [];
    for (let wave = 0; wave < 32; wave++) {
      const calls = Array.from({ length: 8 }, () => client.grow({ letters: 512 * 1024 }, { timeoutMs }));
      outcomes.push(...calls.map((call) => outcomeOf(call.then(() => 'answered'))));
      await other.echo({ text: 'other' });
    }
    // A callee that keeps too much already refuses further calls.
    for (const outcome of await Promise.all(outcomes))
      expect(['timeout', 'unavailable', 'answered', 'too-many-requests']).toContain(outcome);
    // What is let go of may take a few turns to be seen gone.
    await expect.poll(() => heldBytes() - before, { timeout: 5_000 }).toBeLessThan(100 * 1024 * 1024);
  });
}

function slowCases({ through }: Scene): void {
  it('arrives whole however small the pieces are in which it travels', async () => {
    const { client } = await through({ requests: 'crumble', answers: 'crumble' });
    const texts = Array.from({ length: 20 }, (_, n) => `${n} 톱 🪚 \n\r\n \u2028 é`.repeat(n));
    const calls = texts.map((text) => client.echo({ text, tags: ['🪚', ''] }, { timeoutMs: 5_000 }));
    expect(await Promise.all(calls)).toEqual(texts.map((text) => ({ text, tags: ['🪚', ''] })));
    expect(await outcomeOf(client.refuse({}))).toBe('too-late');
  });

  it('is given up over a slow network as over any other', async () => {
    const { client } = await through({ requests: 'crumble', answers: 'crumble' });
    const [id, controller] = [randomUUID(), new AbortController()];
    const outcome = outcomeOf(client.hold({ id }, { signal: controller.signal }));
    await callee.held.begun(id);
    controller.abort();
    expect(await outcome).toBe('cancelled');
    await callee.held.told(id);
  });
}

/** Returns the memory of this process, which is both caller and callee. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
