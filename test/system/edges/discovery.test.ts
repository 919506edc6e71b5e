import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { DnsServer } from '../../../src/shared/adapters/dns/dns-server.scene.ts';
import { Scene } from '../../crash/scene.ts';
import { type Announced, eventually, freePort, type Kerf, newDataDir } from '../../harness/kerf.ts';
import { SteadyLoad } from '../../harness/load.ts';
import { type Order, Shop, type Summary } from '../../harness/shop.ts';

it('calls follow a changed address in a file without a failure', async () => {
  const [onePort, otherPort] = await Promise.all([freePort(), freePort()]);
  const folder = newDataDir();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'payments.addresses');
  writeFileSync(file, `# who runs it now\nhttp://127.0.0.1:${onePort}\n`);
  const move = async () => {
    // Replaces the file by another one, as a mount into a container does.
    writeFileSync(`${file}.new`, `http://127.0.0.1:${otherPort}\n`);
    renameSync(`${file}.new`, file);
  };
  await movesUnseen(new Scene({ MODULE_PAYMENTS: `file:${file}` }), [onePort, otherPort], move);
});

it('calls follow a changed DNS record without a failure', async () => {
  const [onePort, otherPort] = await Promise.all([freePort(), freePort()]);
  const dns = await nameServer();
  dns.set('A', 'one.internal', 1, '127.0.0.1');
  const move = async (port: number) => dns.set('SRV', '_payments._tcp.internal', 1, `1 1 ${port} one.internal`);
  await move(onePort);
  const placement = `http+srv://_payments._tcp.internal?server=${dns.address}`;
  await movesUnseen(new Scene({ MODULE_PAYMENTS: placement }), [onePort, otherPort], () => move(otherPort));
});

it('an order waits until the name of a module can be resolved', async () => {
  const [port, dns] = await Promise.all([freePort(), nameServer()]);
  const scene = new Scene({ MODULE_PAYMENTS: `http+dns://payments.internal:${port}?server=${dns.address}` });
  const home = await scene.start();
  const shop = await new Shop(home.url).join();
  const { status, body } = await shop.order('WAX', 1, { wait: 0 });
  expect(status).toBe(202);
  expect((await shop.get(`/payments/${body.id}`)).status).toBe(503);

  await runPayments(scene, home, port);
  dns.set('A', 'payments.internal', 1, '127.0.0.1');
  const state = async () => (await shop.get<Order>(`/orders/${body.id}`)).body.status;
  await eventually(async () => (await state()) === 'confirmed', 'the confirmation');
  // The name server may fail afterwards.
  dns.trouble = 'silent';
  expect((await shop.order('WAX')).status).toBe(201);
  await scene.endsWell(home);
});

async function movesUnseen(scene: Scene, [onePort, otherPort]: [number, number], move: () => Promise<void>) {
  const home = await scene.start();
  const one = await runPayments(scene, home, onePort);
  const other = await runPayments(scene, home, otherPort);
  const shop = await new Shop(home.url).join();
  const { body } = await shop.order('WAX');
  const { payment } = (await shop.get<Summary>(`/orders/${body.id}/summary`)).body;
  const load = new SteadyLoad(shop, [`/payments/${payment!.id}`], 50);
  await load.answers(5);
  expect(await addressesOf(home)).toEqual([one.announced.internal]);
  await move();
  await eventually(async () => (await addressesOf(home)).join() === other.announced.internal, 'the relocation');
  expect(await one.stop()).toBe(0);
  await load.answers(10);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(home, load.orderAnswers);
}

function runPayments(scene: Scene, home: Kerf, port: number): Promise<Kerf> {
  const env = { INTERNAL_PORT: String(port), HOME_ADDRESS: home.announced.internal };
  return scene.start({ words: ['--only', 'payments'], env });
}

async function addressesOf(home: Kerf): Promise<(string | null)[]> {
  const { modules } = (await home.ops('/ops/topology')) as Announced;
  return modules.find(({ name }) => name === 'payments')!.instances.map(({ address }) => address);
}

async function nameServer(): Promise<DnsServer> {
  const dns = await DnsServer.open();
  onTestFinished(() => dns.close());
  return dns;
}
