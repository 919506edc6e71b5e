import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleModule } from '../../scripts/build-module/bundle.mjs';
import { Scene } from '../crash/scene.ts';
import { SteadyLoad } from '../harness/load.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';

describe('a module in an artifact of its own', () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kerf-artifact-'));
    for (const name of ['payments', 'notifications']) await bundleModule(name, join(folder, name));
    symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('takes the place of the one in the whole program, while that serves', async () => {
    const scene = new Scene();
    const kerf = await scene.start();
    const operator = new Operator(kerf);
    const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders', '/messages'], 50);
    await load.answers(10);
    for (const name of ['payments', 'notifications']) {
      const placement = `http?artifact=${join(folder, name, 'app.js')}`;
      const { status, body } = await operator.ask('PUT', `/modules/${name}`, { placement, forNow: true });
      expect([status, body]).toEqual([200, expect.objectContaining({ to: placement })]);
    }
    await load.answers(10);
    expect(await load.stop()).toEqual([]);
    await scene.endsWell(kerf, load.told);
  });

  it('says what it is not when it is asked to run another module', async () => {
    const child = spawn(process.execPath, [join(folder, 'payments', 'app.js'), '--only', 'orders'], {
      env: {
        PATH: process.env.PATH,
        DATA_DIR: join(folder, 'data'),
        TOPOLOGY: '/dev/null',
        MODULE_ORDERS: 'http://127.0.0.1:9',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, said]).toEqual([1, 'kerf: orders is not part of this artifact; start the one that holds it\n']);
  });
});
