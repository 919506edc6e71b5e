import { expect, it } from 'vitest';
import { adapters } from '../../../../test/harness/adapters.ts';
import { privateServer, type ServerName } from '../../../../test/harness/servers.ts';
import type { Serve } from '../../kernel/calls/index.ts';
import { isNotSent } from '../../kernel/calls/index.ts';
import { serve } from '../../kernel/calls/transport.cases.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import type { OpenWire } from '../../kernel/ports/wire.cases.ts';
import { fixedKeyRing, ServiceTokens } from '../identity/index.ts';
import { QueueTransport } from './client.ts';
import { failureOf, Holding, patient, QueueScene, tokens, withScene } from './queue.scene.ts';

/** Tests the messages that unauthenticated callers may send. */
export function unauthenticatedCases(url: string): void {
  const scene = withScene(url);

  it('is refused when its token is missing, forged, or issued for another module', async () => {
    const holding = new Holding();
    await scene().serve(holding.serve);
    const { ask } = await scene().outsider();
    const forger = new ServiceTokens(fixedKeyRing('TEST', 'another secret of more than 32 characters'));
    const bad = ['', 'nonsense', await forger.issue('other', 'sample'), await tokens.issue('other', 'payments')];
    for (const token of bad) expect(await ask({ token })).toMatchObject({ problem: { code: 'unauthenticated' } });
    expect(holding.contexts).toEqual([]);
  });

  it('cannot cancel a call of another caller', async () => {
    const holding = new Holding();
    await scene().serve(holding.serve);
    const { ask } = await scene().outsider();
    void ask({ id: 'mine' });
    await expect.poll(() => holding.contexts.length).toBe(1);
    const body = Buffer.from(JSON.stringify({ cancel: 'mine' }));
    void ask({ to: 'all', token: await tokens.issue('stranger', 'sample'), body });
    await ask({ to: 'all', body: Buffer.from(JSON.stringify({ ask: [] })) });
    expect(holding.contexts[0]!.cancellation!.cancelled).toBe(false);
  });

  it('gets an answer to any garbage, which is logged once and affects no other caller', async () => {
    await scene().serve(serve);
    const { ask } = await scene().outsider();
    const garbage = ['', 'no JSON', '7', 'null', '[]', '{"operation":"echo"}', '{"operation":"echo","context":{}}'];
    for (const each of garbage) {
      expect(await ask({ body: Buffer.from(each) })).toMatchObject({ problem: { code: 'invalid-input' } });
      void ask({ to: 'all', body: Buffer.from(each) });
    }
    expect(await scene().client().echo({ text: 'well' })).toEqual({ text: 'well' });
    expect(scene().warnings).toEqual(['a message came that is no call of a module; this is said once']);
  });
}

/** So short that a case can wait for it. */
const silence = { askAfterMs: 200, goneAfterMs: 800 };

/** Opens callers whose network ends at the broker. A cut connection pauses before it reconnects, longer after each failure. */
export async function openWire(url: string, restart?: OpenWire['restart']): Promise<OpenWire> {
  const scene = new QueueScene(url);
  await scene.serve(serve);
  const openSession = adapters.sessionOpenerFor(url);
  const at = (port: number) => Object.assign(new URL(scene.url), { port: String(port) }).href;
  return {
    port: Number(new URL(url).port),
    link: (port, shown = tokens) =>
      new QueueTransport({ openSession, address: at(port), module: 'sample', tokens: shown, silence }),
    reconnectsWithinMs: 3_000,
    restart,
    close: () => scene.close(),
  };
}

/** Does the same with a private broker, so that a case can kill it. */
export async function openPrivateWire(name: ServerName): Promise<OpenWire> {
  const server = await privateServer(name);
  const wire = await openWire(server.url, async (meanwhile) => {
    await server.kill();
    await meanwhile();
    await server.restart();
  });
  return {
    ...wire,
    async close() {
      await wire.close();
      await server.stop();
    },
  };
}

/** Tests the outcome of calls when the broker is killed and started again. */
export function killedCases(name: ServerName): void {
  it('refuses calls in flight and new calls during an outage, and works again afterwards', {
    timeout: 90_000,
  }, async () => {
    const server = await privateServer(name);
    const scene = new QueueScene(server.url);
    const holding = new Holding();
    const either: Serve = (module, name, ...rest) =>
      (name === 'when' ? holding : { serve }).serve(module, name, ...rest);
    await scene.serve(either);
    const client = scene.client();
    const calls = Array.from({ length: 3 }, () => failureOf(client.when({}, patient)));
    await expect.poll(() => holding.contexts.length).toBe(3);
    await server.kill();
    for (const error of await Promise.all(calls)) {
      expect([isRefusal(error, 'unavailable'), isNotSent(error)]).toEqual([true, false]);
    }
    expect(holding.contexts.every(({ cancellation }) => cancellation!.cancelled)).toBe(true);
    const error = await failureOf(client.echo({ text: 'x' }, patient));
    expect([isRefusal(error, 'unavailable'), isNotSent(error)]).toEqual([true, true]);
    await server.restart();
    const again = async () => (await client.echo({ text: 'back' }).catch(() => ({ text: '' }))).text;
    await expect.poll(again, { timeout: 10_000 }).toBe('back');
    expect(scene.warnings).toEqual(['the broker is reached again']);
    await scene.close();
    await server.stop();
  });
}
