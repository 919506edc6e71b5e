import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { deep } from '../harness/deep.ts';
import { eventually, type ModuleName, placements } from '../harness/kerf.ts';
import { describeWith, type ServerName, unavailableServer } from '../harness/servers.ts';
import { type Message, type Page, Shop } from '../harness/shop.ts';
import { type OrderAnswers, rush, wishes } from './rush.ts';
import { Scene } from './scene.ts';

const brokers: readonly ServerName[] = ['nats', 'rabbitmq', 'kafka'];
const ways: readonly { name: string; out: readonly ModuleName[] }[] = [
  { name: 'in one process', out: [] },
  { name: 'with orders, inventory and payments out', out: ['orders', 'inventory', 'payments'] },
];

async function hasMessageAbout(shop: Shop, orderId: string): Promise<boolean> {
  const { body } = await shop.get<Page<Message>>('/messages');
  return body.items?.some(({ subject, status }) => subject.includes(orderId) && status === 'sent') ?? false;
}

for (const [index, broker] of brokers.entries()) {
  describeWith(broker, `${broker} as the bus`, ({ url }) => {
    // Each broker runs one of the ways, and each way runs with a broker.
    for (const [way, { name, out }] of ways.entries()) {
      it(`may be unavailable at the start and killed under load, ${name}`, way === index % 2 ? {} : deep, async () => {
        const { url: bus, start } = await unavailableServer(broker);
        const scene = new Scene(placements({ name, out, bus }));
        const kerf = await scene.start();
        const shop = await new Shop(kerf.url).join({ phone: '+82 10 1234 5678' });
        const { status, body } = await shop.order('OIL');
        expect(status).toBe(201);
        await eventually(async () => kerf.stderr.includes('cannot be reached'), 'a line about the broker');
        const lines = kerf.stderr.split('\n').filter((line) => line.includes('the broker cannot be reached'));
        const processes = lines.map((line) => JSON.parse(line)['service.name']);
        expect(processes).toHaveLength(new Set(processes).size);
        expect(kerf.stderr).not.toContain('guest:guest');
        expect(await hasMessageAbout(shop, body.id)).toBe(false);
        const server = await start();
        onTestFinished(() => server.stop());
        await eventually(() => hasMessageAbout(shop, body.id), 'the mail about the order');
        let back: Promise<void> | undefined;
        const onAnswer = (count: number) => {
          if (count === 30) back = server.kill().then(() => server.restart());
        };
        const orderAnswers = await rush(shop, wishes(100), { onAnswer, patient: true });
        await back;
        await scene.settles(orderAnswers);
        await scene.endsWell(kerf, orderAnswers);
      });
    }

    it('can be replaced by another bus with events pending, and restored', broker === 'nats' ? {} : deep, async () => {
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
