import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Scene } from '../../crash/scene.ts';
import { deep } from '../../harness/deep.ts';
import { SteadyLoad } from '../../harness/load.ts';
import { Operator } from '../../harness/operator.ts';
import { plantedMigration, releaseWith } from '../../harness/release.ts';
import { Shop } from '../../harness/shop.ts';
import { topologyFile } from '../../harness/topology-file.ts';

async function opened() {
  const TOPOLOGY = topologyFile('modules:\n  payments: http # of the shop\n');
  const scene = new Scene({ TOPOLOGY });
  const kerf = await scene.start();
  const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders', '/products']);
  await load.answers(10);
  return { TOPOLOGY, scene, kerf, operator: new Operator(kerf), load };
}

it('replaces the running release, and then restores the previous one', async () => {
  const { TOPOLOGY, scene, kerf, operator, load } = await opened();
  const artifact = releaseWith();
  const before = await kerf.pidOf('payments');
  expect(await operator.run('replace', ['payments', '--artifact', artifact])).toMatchObject({ code: 0, stderr: '' });
  expect(await kerf.pidOf('payments')).not.toBe(before);
  expect(readFileSync(TOPOLOGY, 'utf8')).toBe(`modules:\n  payments: http?artifact=${artifact}/app.js # of the shop\n`);
  await load.answers(10);

  expect(await operator.runInHost('replace', ['payments'])).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(TOPOLOGY, 'utf8')).toBe('modules:\n  payments: http # of the shop\n');
  await load.answers(10);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.orderAnswers);
});

it('refuses a release that breaks the contract, and names the incompatibility', deep, async () => {
  const { TOPOLOGY, scene, kerf, operator, load } = await opened();
  const text = readFileSync(TOPOLOGY, 'utf8');
  const before = await kerf.pidOf('payments');
  const broken = releaseWith([['"payment-over": {', '"payment-over-now": {']]);
  const { code, stderr } = await operator.runInHost('replace', ['payments', '--artifact', broken]);
  expect([code, stderr]).toEqual([
    1,
    'kerf: payments stays http: at "contract", the new release breaks the contract: payments: callers do not know the error "payment-over-now", and would meet it as internal; everything was taken back\n',
  ]);
  expect([await kerf.pidOf('payments'), readFileSync(TOPOLOGY, 'utf8')]).toEqual([before, text]);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.orderAnswers);
});

it('refuses a release whose migration breaks the running release, before any change', deep, async () => {
  const { TOPOLOGY, scene, kerf, operator, load } = await opened();
  const text = readFileSync(TOPOLOGY, 'utf8');
  const before = await kerf.pidOf('payments');
  const breaking = releaseWith([plantedMigration('contract', 'ALTER TABLE payments RENAME COLUMN status TO state')]);
  const { code, stderr } = await operator.runInHost('replace', ['payments', '--artifact', breaking, '--canary', '5%']);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(
      /the new release of payments cannot come while the system serves: its migration "9999-planted" is not marked as expand/,
    ),
  ]);
  expect([await kerf.pidOf('payments'), readFileSync(TOPOLOGY, 'utf8')]).toEqual([before, text]);

  const growing = releaseWith([plantedMigration('expand', 'ALTER TABLE payments ADD COLUMN note TEXT')]);
  expect(await operator.runInHost('replace', ['payments', '--artifact', growing])).toMatchObject({
    code: 0,
    stderr: '',
  });
  await load.answers(10);
  expect(await operator.runInHost('replace', ['payments'])).toMatchObject({ code: 0, stderr: '' });
  await load.answers(10);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.orderAnswers);
});
