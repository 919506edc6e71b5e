import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import type { Announced } from '../harness/kerf.ts';
import { SteadyLoad } from '../harness/load.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';
import { topologyFile } from '../harness/topology-file.ts';
import { Scene } from './scene.ts';

/** The steps during which the old and the new replica may both run. */
const critical = ['hand over', 'persist'];
const others = ['preflight', 'start', 'contract', 'warm', 'move calls', 'drain', 'close'];

describe.each([
  ['extraction', 'in-process', 'http', 'begun'],
  ['absorption', 'http', 'in-process', 'done'],
])('the home process is killed during an %s', (_, from, to, when) => {
  const comesUp = async (step: string) => {
    const point = `move/payments/${step}/${when}`;
    const TOPOLOGY = topologyFile(`modules:\n  payments: ${from}\n`);
    const scene = new Scene({ TOPOLOGY });
    const kerf = await scene.start({ env: { FAULT_POINT: point } });
    const load = new SteadyLoad(await new Shop(kerf.url).join(), [], 50);
    await load.answers(5);
    await new Operator(kerf).ask('PUT', '/modules/payments', { placement: to }).catch(() => {});
    await kerf.exited();
    await load.stop();

    const again = await scene.start();
    const written = readFileSync(TOPOLOGY, 'utf8');
    expect(written).toBe(`modules:\n  payments: ${/persist.done|close/.test(point) ? to : from}\n`);
    const { body } = await new Operator(again).ask<Announced>('GET', '/topology');
    const payments = body.modules.find(({ name }) => name === 'payments')!;
    expect([`modules:\n  payments: ${payments.placement}\n`, payments.state]).toEqual([written, 'ready']);
    expect((await (await new Shop(again.url).join()).order('WAX')).status).toBe(201);
    await scene.endsWell(again, load.orderAnswers);
  };
  const name = 'at "%s": the module restarts with either its old or its new placement';
  it.each(critical)(name, comesUp);
  it.each(others)(name, deep, comesUp);
});
