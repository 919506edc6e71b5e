import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Scene } from '../../crash/scene.ts';
import { SteadyLoad } from '../../harness/load.ts';
import { Operator } from '../../harness/operator.ts';
import { Shop } from '../../harness/shop.ts';
import { topologyFile } from '../../harness/topology-file.ts';

/** A release of its own, with some of its text replaced: another version of the same program. */
function release(changes: readonly (readonly [string, string])[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-release-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync('dist', join(folder, 'dist'), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  const file = join(folder, 'dist', 'app.js');
  let text = readFileSync(file, 'utf8');
  for (const [before, after] of changes) {
    expect(text).toContain(before);
    text = text.replaceAll(before, after);
  }
  writeFileSync(file, text);
  return join(folder, 'dist');
}

async function opened() {
  const TOPOLOGY = topologyFile('modules:\n  payments: http # of the shop\n');
  const scene = new Scene({ TOPOLOGY });
  const kerf = await scene.start();
  const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders', '/products']);
  await load.answers(10);
  return { TOPOLOGY, scene, kerf, operator: new Operator(kerf), load };
}

it('puts another release in the place of the one that runs, and the one before back', async () => {
  const { TOPOLOGY, scene, kerf, operator, load } = await opened();
  const artifact = release();
  const before = await kerf.pidOf('payments');
  expect(await operator.run('replace', ['payments', '--artifact', artifact])).toMatchObject({ code: 0, stderr: '' });
  expect(await kerf.pidOf('payments')).not.toBe(before);
  expect(readFileSync(TOPOLOGY, 'utf8')).toBe(`modules:\n  payments: http?artifact=${artifact}/app.js # of the shop\n`);
  await load.answers(10);

  expect(await operator.run('replace', ['payments'])).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(TOPOLOGY, 'utf8')).toBe('modules:\n  payments: http # of the shop\n');
  await load.answers(10);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.told);
});

it('refuses a release that breaks the contract, and says what breaks', async () => {
  const { TOPOLOGY, scene, kerf, operator, load } = await opened();
  const text = readFileSync(TOPOLOGY, 'utf8');
  const before = await kerf.pidOf('payments');
  const broken = release([['"payment-over": {', '"payment-over-now": {']]);
  const { code, stderr } = await operator.run('replace', ['payments', '--artifact', broken]);
  expect([code, stderr]).toEqual([
    1,
    'kerf: payments stays http: at "contract", the new release breaks the contract: payments: callers do not know the error "payment-over-now", and would meet it as internal; everything was taken back\n',
  ]);
  expect([await kerf.pidOf('payments'), readFileSync(TOPOLOGY, 'utf8')]).toEqual([before, text]);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.told);
});
