import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Authority, fixedKeyRing, ServiceTokens } from '../../control/identity/index.ts';
import { outcomeOf } from '../calls/cancellation.cases.ts';
import type { Link } from '../calls/index.ts';
import { createCall, createClient, isDeliveryUnknown, isNotSent } from '../calls/index.ts';
import { callee, sample } from '../calls/sample.cases.ts';
import type { Client } from '../contract/index.ts';
import { ChaosProxy, type Fate, type Fates } from './chaos-proxy.scene.ts';

/** A transport under test that crosses a network, whose other end is `serve`. */
export interface OpenWire {
  /** The port of the callee, or of the broker, on this machine. */
  readonly port: number;
  /**
   * Opens a link to the callee as if it listened at `port`, for a process with `tokens` if they are given. The link notices within a
   * second, or less, that a connection is dead.
   */
  link(port: number, tokens?: ServiceTokens): Link;
  /** Maximum time until it reconnects by itself after a cut. Without it, the next call reconnects. */
  readonly reconnectsWithinMs?: number;
  /** Stops the callee, or the broker, as a crash does; runs `meanwhile`; starts it again at the same port. */
  restart?(meanwhile: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** The tools of a case. */
interface Scene {
  wire(): OpenWire;
  /** Opens a link through a private proxy, and makes the first call, so that a connection exists. */
  through(fates?: Fates): Promise<{ proxy: ChaosProxy; client: Client<typeof sample> }>;
  /** Opens a link without a proxy. */
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

  it('is unavailable and not begun when the callee does not accept this process', async () => {
    const { times } = callee.added;
    const refused: unknown = await direct(new ServiceTokens(ring))
      .add({ n: 1 })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'unavailable', cause: { code: 'unauthenticated' } });
    expect([isNotSent(refused), callee.added.times]).toEqual([true, times]);
  });

  it('uses a new token after the callee rejected one', async () => {
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

/** Timeout of the calls in these cases, so that no call is left for the next case. */
const timeoutMs = 1_000;

function cutCases({ wire, through, works }: Scene): void {
  it('is unavailable when the connection is cut before it arrives; the next call works', async () => {
    const { proxy, client } = await through();
    const { times } = callee.added;
    proxy.meet({ requests: { cutAfterBytes: 0 } });
    expect(await outcomeOf(client.add({ n: 1 }, { timeoutMs }))).toBe('unavailable');
    expect(callee.added.times).toBe(times);
    await works(client);
    expect(proxy.accepted).toBeGreaterThan(1);
  });

  it('is unavailable when the connection is cut during its execution, like all calls in flight', async () => {
    const { proxy, client } = await through();
    const ids = Array.from({ length: 10 }, () => randomUUID());
    const outcomes = Promise.all(ids.map((id) => outcomeOf(client.hold({ id }, { timeoutMs }))));
    await Promise.all(ids.map((id) => callee.hanging.begun(id)));
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

  it('succeeds when the connection was closed after the previous answer', async () => {
    const { proxy, client } = await through();
    await proxy.end();
    await works(client);
  });

  it('ends wherever the connection is cut in the request or the answer', async () => {
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
  it('is unavailable while the callee is down, and works after its restart', async ({ skip }) => {
    skip(!wire().restart, 'the test does not own the server to restart');
    const client = direct();
    await client.echo({ text: 'before' });
    const id = randomUUID();
    const inFlight = outcomeOf(client.hold({ id }, { timeoutMs }));
    await callee.hanging.begun(id);
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
  it('gets a little less time than its caller, so that the callee can report a timeout', async () => {
    // On a busy machine a call may be late; the next attempt decides.
    const leftOf = (timeoutMs: number) => vi.waitFor(() => direct().timeLeft({}, { timeoutMs }), { timeout: 60_000 });
    expect((await leftOf(1_000)).ms).toBeLessThanOrEqual(900);
    expect((await leftOf(100)).ms).toBeLessThanOrEqual(75);
  });

  it('distinguishes a reported timeout from a missing answer', async () => {
    const fails = (call: Promise<unknown>) => call.then(() => 'an answer', isDeliveryUnknown);
    expect(await fails(direct().refuseAs({ code: 'timeout' }))).toBe(false);
    const { proxy, client } = await through();
    proxy.meet({ requests: 'swallow', answers: 'swallow' });
    expect(await fails(client.echo({ text: 'x' }, { timeoutMs: 50 }))).toBe(true);
  });
}

function deadCases({ through, direct, works }: Scene): void {
  it('ends at its deadline on a silently dead connection; later calls use a new connection', async () => {
    const { proxy, client } = await through();
    proxy.meet({ requests: 'swallow', answers: 'swallow' });
    expect(await outcomeOf(client.echo({ text: 'x' }, { timeoutMs: 50 }))).toBe('timeout');
    await works(client, 3_000);
    expect(proxy.accepted).toBeGreaterThan(1);
  });

  it('waits at most until its deadline for a callee that stops reading; other calls continue', async () => {
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

  it('buffers no answers for a caller that does not read them, and delays no other caller', async () => {
    const { proxy, client } = await through();
    const other = direct();
    await other.echo({ text: 'first' });
    const before = bytesInUse();
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
    // The release of memory may take a few turns.
    await expect.poll(() => bytesInUse() - before, { timeout: 5_000 }).toBeLessThan(100 * 1024 * 1024);
  });
}

function slowCases({ through }: Scene): void {
  it('arrives complete, however small its fragments are', async () => {
    const { client } = await through({ requests: 'crumble', answers: 'crumble' });
    const texts = Array.from({ length: 20 }, (_, n) => `${n} 톱 🪚 \n\r\n \u2028 é`.repeat(n));
    const calls = texts.map((text) => client.echo({ text, tags: ['🪚', ''] }, { timeoutMs: 5_000 }));
    expect(await Promise.all(calls)).toEqual(texts.map((text) => ({ text, tags: ['🪚', ''] })));
    expect(await outcomeOf(client.refuse({}))).toBe('too-late');
  });

  it('can be cancelled over a slow network', async () => {
    const { client } = await through({ requests: 'crumble', answers: 'crumble' });
    const [id, controller] = [randomUUID(), new AbortController()];
    const outcome = outcomeOf(client.hold({ id }, { signal: controller.signal }));
    await callee.hanging.begun(id);
    controller.abort();
    expect(await outcome).toBe('cancelled');
    await callee.hanging.told(id);
  });
}

/** Returns the memory of this process, which is both caller and callee. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
