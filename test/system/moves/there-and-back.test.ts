import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Scene } from '../../crash/scene.ts';
import { deep } from '../../harness/deep.ts';
import { moduleNames } from '../../harness/kerf.ts';
import { SteadyLoad } from '../../harness/load.ts';
import { Operator } from '../../harness/operator.ts';
import { Shop } from '../../harness/shop.ts';
import { topologyFile } from '../../harness/topology-file.ts';

describe('a module that is extracted and absorbed under load', () => {
  const causesNoFailure = async (module: string) => {
    const TOPOLOGY = topologyFile();
    const scene = new Scene({ TOPOLOGY });
    const kerf = await scene.start();
    const operator = new Operator(kerf);
    const shop = await new Shop(kerf.url).join();
    const load = new SteadyLoad(shop, ['/orders', '/members/me', '/products', '/posts', '/messages']);
    await load.answers(10);

    const out = await operator.ask('PUT', `/modules/${module}`, { placement: 'http' });
    expect(out.body).toMatchObject({ module, from: 'in-process', to: 'http', persisted: true });
    expect(readFileSync(TOPOLOGY, 'utf8')).toBe(`bus: mitt # events\nmodules:\n  ${module}: http\n`);
    await load.answers(10);

    const back = await operator.ask('PUT', `/modules/${module}`, { placement: 'in-process' });
    expect(back.body).toMatchObject({ module, from: 'http', to: 'in-process', persisted: true });
    await load.answers(10);
    expect(await load.stop()).toEqual([]);
    await scene.endsWell(kerf, load.orderAnswers);
  };
  it('causes no failed request: payments', () => causesNoFailure('payments'));
  const others = moduleNames.filter((name) => name !== 'payments');
  it.each(others)('causes no failed request: %s', deep, causesNoFailure);
});
