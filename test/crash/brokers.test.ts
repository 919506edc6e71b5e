import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer } from '../../scripts/services/index.ts';
import { eventually, freePort, type ModuleName, placements } from '../harness/kerf.ts';
import { describeWith, type ServerName } from '../harness/servers.ts';
import { type Message, type Page, Shop } from '../harness/shop.ts';
import { type OrderAnswers, rush, wishes } from './rush.ts';
import { Scene } from './scene.ts';

const brokers: readonly ServerName[] = ['nats', 'rabbitmq', 'kafka'];
const ways: readonly { name: string; out: readonly ModuleName[] }[] = [
  { name: 'in one process', out: [] },
  { name: 'with orders, inventory and payments out', out: ['orders', 'inventory', 'payments'] },
];

/** Starts a broker for one test. The end of the test stops it. */
async function startBroker(name: ServerName, port?: number) {
  const folder = mkdtempSync(join(tmpdir(), `kerf-${name}-`));
  const server = await startServer(name, { port: port ?? (await freePort()), folder });
  onTestFinished(() => server.stop());
  return server;
}

async function hasMessageAbout(shop: Shop, orderId: string): Promise<boolean> {
  const { body } = await shop.get<Page<Message>>('/messages');
  return body.items?.some(({ subject, status }) => subject.includes(orderId) && status === 'sent') ?? false;
}

for (const broker of brokers) {
  describeWith(broker, `${broker} as the bus`, ({ url }) => {
    describe.each(ways)('$name', ({ name, out }) => {
      it('loses and repeats nothing when the broker is killed under load and restarted', async () => {
        const server = await startBroker(broker);
        const scene = new Scene(placements({ name, out, bus: server.url }));
        const kerf = await scene.start();
        const shop = await new Shop(kerf.url).join({ phone: '+82 10 1234 5678' });
        let back: Promise<void> | undefined;
        const onAnswer = (count: number) => {
          if (count === 30) back = server.kill().then(() => server.restart());
        };
        const orderAnswers = await rush(shop, wishes(100), { onAnswer, patient: true });
        await back;
        await scene.settles(orderAnswers);
        await scene.endsWell(kerf, orderAnswers);
      });
    });

    it('may be unavailable at the start: the system logs it, and everything except events works', async () => {
      const port = await freePort();
      const bus = Object.assign(new URL(url), { port: String(port) });
      const scene = new Scene({ BUS: bus.href });
      const kerf = await scene.start();
      const shop = await new Shop(kerf.url).join();
      const { status, body } = await shop.order('OIL');
      expect(status).toBe(201);
      await eventually(async () => kerf.stderr.includes('cannot be reached'), 'a line about the broker');
      expect(kerf.stderr.split('\n').filter((line) => line.includes('the broker cannot be reached'))).toHaveLength(1);
      expect(kerf.stderr).not.toContain('guest:guest');
      expect(await hasMessageAbout(shop, body.id)).toBe(false);
      await startBroker(broker, port);
      await eventually(() => hasMessageAbout(shop, body.id), 'the mail about the order');
      await scene.settles();
      await scene.endsWell(kerf);
    });

    it('can be replaced by another bus with events pending, and restored', async () => {
      const bus = `${url}?namespace=test-${randomUUID()}`;
      const scene = new Scene();
      const email = 'buyer@example.com';
      let orderAnswers: OrderAnswers = new Map();
      const run = async (env: Record<string, string>) => {
        const kerf = await scene.start({ env });
        const nobody = new Shop(kerf.url);
        if (orderAnswers.size === 0) await nobody.join({ email, phone: '+82 10 1234 5678' });
        const shop = await nobody.signIn(email);
        orderAnswers = new Map([...orderAnswers, ...(await rush(shop, wishes(20), { patient: true }))]);
        return kerf;
      };
      await (await run({ BUS: bus })).kill();
      await (await run({ BUS: 'mitt', BUS_BEFORE: bus })).kill();
      await (await run({ BUS: bus })).kill();
      const last = await run({ BUS: 'http', BUS_BEFORE: bus });
      await scene.settles(orderAnswers);
      await scene.endsWell(last, orderAnswers);
    });
  });
}
