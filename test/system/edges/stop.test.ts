import { expect, it, onTestFinished } from 'vitest';
import { lives, Scene } from '../../crash/scene.ts';
import { deep } from '../../harness/deep.ts';
import { eventually, Kerf } from '../../harness/kerf.ts';
import { SteadyLoad } from '../../harness/load.ts';
import { Shop } from '../../harness/shop.ts';

const manyOut = { MODULE_ORDERS: 'http?instances=2', MODULE_PAYMENTS: 'grpc', MODULE_MEMBERS: 'http' };

async function endInOrder(signal: NodeJS.Signals): Promise<void> {
  const scene = new Scene();
  const kerf = await Kerf.start({ env: manyOut, dataDir: scene.dataDir, ownGroup: true });
  onTestFinished(() => kerf.kill());
  const pids = (await Promise.all(['orders', 'payments', 'members'].map((each) => kerf.readyPidsOf(each)))).flat();
  expect(pids).toHaveLength(4);
  const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders', '/members/me'], 50);
  await load.answers(10);
  process.kill(-kerf.process.pid!, signal);
  expect(await kerf.exited()).toBe(0);
  const failures = await load.stop();
  // A late client finds a closed listener. The system answers every accepted request.
  expect(failures.filter((failure) => !/ECONNREFUSED|ECONNRESET|other side closed/.test(failure))).toEqual([]);
  expect(kerf.stderr).not.toContain('starting it again');
  await eventually(async () => !pids.some(lives), 'the end of the module processes');
  await scene.endsWell(await scene.start(), load.orderAnswers);
}

const title = '%s to all processes at once stops them cleanly';
it.each(['SIGTERM'] as const)(title, endInOrder);
it.each(['SIGINT', 'SIGHUP'] as const)(title, deep, endInOrder);

it('a signaled module process stops cleanly and is restarted', async () => {
  const scene = new Scene({ MODULE_ORDERS: 'http?instances=2' });
  const kerf = await scene.start();
  const [pid, other] = (await kerf.readyPidsOf('orders')) as [number, number];
  const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders'], 50);
  await load.answers(5);
  process.kill(pid, 'SIGTERM');
  await eventually(async () => !lives(pid), 'its end');
  await eventually(async () => {
    const pids = await kerf.readyPidsOf('orders');
    return pids.length === 2 && pids.includes(other);
  }, 'another in its place');
  expect(kerf.stderr).toContain('code 0');
  await load.answers(5);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.orderAnswers);
});
