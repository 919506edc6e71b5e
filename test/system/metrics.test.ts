import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import { eventually, Kerf, placements, type TestTopology } from '../harness/kerf.ts';
import { Scraper, type Series, sum } from '../harness/metrics.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

/** What the data of a module holds. Only one process may show it. */
const ofData =
  /^kerf_(leader_term|outbox_events|outbox_age_seconds|retry_queue_events|retry_queue_age_seconds|dead_letters|sagas|saga_age_seconds)$/;

const topologies: TestTopology[] = [
  { name: 'all modules in the home process', out: [] },
  { name: 'payments and mail by HTTP', out: ['payments', 'mail'] },
  { name: 'orders and inventory by gRPC', out: ['orders', 'inventory'], via: 'grpc' },
];

for (const topology of topologies)
  describe(`metrics: ${topology.name}`, topology.via ? deep : {}, () => {
    let kerf: Kerf;
    let scraper: Scraper;
    let member: Shop;
    beforeAll(async () => {
      const sampled = { OTEL_TRACES_SAMPLER: 'always_on' };
      kerf = await Kerf.start({ env: { ...placements(topology), ...sampled } });
      scraper = new Scraper(kerf);
      member = await new Shop(kerf.url).join();
      for (let n = 0; n < 3; n++) expect((await member.order('WAX')).body).toMatchObject({ status: 'confirmed' });
    });
    afterAll(async () => expect(await kerf.stop()).toBe(0));

    const calls = (all: readonly Series[], module: string, operation: string) =>
      sum(all, 'kerf_calls_total', { module, operation, outcome: 'ok' });

    it('lists each process once', async () => {
      const processes = (await scraper.targets()).map(({ labels }) => labels.process).sort();
      expect(processes).toEqual(['home', ...topology.out].sort());
    });

    it('counts each call, request, event and saga once, whatever process it ran in', async () => {
      const all = await scraper.scrape();
      expect([calls(all, 'payments', 'authorize'), calls(all, 'payments', 'capture')]).toEqual([3, 3]);
      expect([calls(all, 'inventory', 'reserve'), calls(all, 'inventory', 'take')]).toEqual([3, 3]);
      expect(sum(all, 'kerf_http_request_duration_seconds_count', { route: '/orders', status: '201' })).toBe(3);
      const payments = all.filter(
        ({ name, labels }) => name === 'kerf_calls_total' && labels.operation === 'authorize',
      );
      const remote = topology.out.some((module) => ['payments', 'orders'].includes(module));
      expect(new Set(payments.map(({ labels }) => labels.placement))).toEqual(
        new Set([remote ? 'remote' : 'in-process']),
      );
      const handled = { event: 'orders.order-confirmed.v1', outcome: 'ok' };
      const handling = async () =>
        sum(await scraper.scrape(), 'kerf_event_handling_duration_seconds_count', {
          ...handled,
          module: 'notifications',
        });
      await eventually(async () => (await handling()) >= 3, 'the handling of three orders');
      expect(await handling()).toBe(3);
      expect(sum(all, 'kerf_sagas_ended_total', { module: 'orders', saga: 'checkout', outcome: 'done' })).toBe(3);
      const [units, groups] = ['kerf_commit_units_sum', 'kerf_commit_duration_seconds_count'];
      expect(sum(all, units, { module: 'orders' })).toBeGreaterThanOrEqual(sum(all, groups, { module: 'orders' }));
      expect(sum(all, groups, { module: 'orders' })).toBeGreaterThan(0);
    });

    it('shows what the data of a module holds in one process only', async () => {
      const all = await scraper.scrape();
      const keyOf = ({ name, labels: { process: _, ...labels } }: Series) => JSON.stringify([name, labels]);
      const held = all.filter(({ name }) => ofData.test(name)).map(keyOf);
      expect(new Set(held).size).toBe(held.length);
      const modules = all.filter(({ name, value }) => name === 'kerf_leader' && value === 1);
      expect(new Set(modules.map(({ labels }) => labels.module)).size).toBe(modules.length);
      expect(modules).toHaveLength(10);
    });

    it('grows by no series, whatever clients send', async () => {
      const drive = async () => {
        for (const path of [`/products/${crypto.randomUUID()}`, `/${crypto.randomUUID()}`, '/a%0Ab%22%7D', '/orders/x'])
          for (const method of ['GET', 'DELETE', 'PROPFIND']) await member.send(method, path).catch(() => {});
      };
      const count = async () => (await scraper.scrape()).filter(({ name }) => /^kerf_(http|call)/.test(name)).length;
      await drive();
      const before = await count();
      for (let n = 0; n < 10; n++) await drive();
      expect(await count()).toBe(before);
    });

    it('names the trace of a call in OpenMetrics', async () => {
      const accept = 'application/openmetrics-text;version=1.0.0';
      const text = await scraper.text(undefined, accept);
      expect(text.endsWith('# EOF\n')).toBe(true);
      const traceId = /^kerf_http_request_duration_seconds_bucket.*route="\/orders".* # \{trace_id="(\w{32})"\}/m.exec(
        text,
      )?.[1];
      const { body } = await new Operator(kerf).ask<{ items: object[] }>('GET', `/traces/${traceId}`);
      expect(body.items).toContainEqual(expect.objectContaining({ name: 'POST /orders' }));
    });

    it.skipIf(!hasPromtool)('passes promtool (needs prometheus)', async () => {
      for (const { targets } of await scraper.targets()) {
        const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], {
          input: await scraper.text(...targets),
        });
        expect([status, stderr.toString()]).toEqual([0, '']);
      }
    });
  });

it('count each call once while its module moves, and its data once while three processes run it', async () => {
  const kerf = await Kerf.start();
  const [scraper, operator] = [new Scraper(kerf), new Operator(kerf)];
  const member = await new Shop(kerf.url).join();
  const order = async () => expect((await member.order('WAX')).body).toMatchObject({ status: 'confirmed' });
  const move = async (placement: string) =>
    expect(await operator.ask('PUT', '/modules/payments', { placement, forNow: true })).toMatchObject({ status: 200 });
  await order();
  await move('http?instances=3');
  await order();
  await order();
  const all = await scraper.scrape();
  const captured = (placement: string, of = all) =>
    sum(of, 'kerf_calls_total', { module: 'payments', operation: 'capture', placement, outcome: 'ok' });
  expect([captured('in-process'), captured('remote')]).toEqual([1, 2]);
  expect(sum(all, 'kerf_served_call_duration_seconds_count', { module: 'payments', operation: 'capture' })).toBe(2);
  expect((await scraper.targets()).map(({ labels }) => labels.process)).toEqual([
    ...['home', 'payments', 'payments', 'payments'],
  ]);
  const leaders = all.filter(({ name, labels }) => name === 'kerf_leader' && labels.module === 'payments');
  expect(leaders.map(({ value }) => value).sort()).toEqual([0, 0, 1]);
  const letters = all.filter(({ name, labels }) => name === 'kerf_dead_letters' && labels.module === 'payments');
  expect(letters.map(({ labels }) => labels.direction).sort()).toEqual(['in', 'out']);
  await move('in-process');
  await order();
  const after = await scraper.scrape();
  expect([captured('in-process', after), captured('remote', after)]).toEqual([2, 2]);
  expect(sum(after, 'kerf_relocations_total', { module: 'payments', outcome: 'moved' })).toBe(2);
  expect(await kerf.stop()).toBe(0);
});

it('tell which module processes are ready, and how processes ended', async () => {
  const kerf = await Kerf.start({ env: { MODULE_MAIL: 'http?instances=2', LOG_LEVEL: 'silent' } });
  const [scraper, operator] = [new Scraper(kerf), new Operator(kerf)];
  const counts = async () => {
    const all = (await scraper.scrape()).filter(({ name }) => name.startsWith('kerf_module_process'));
    expect(new Set(all.map(({ labels }) => `${labels.process} ${labels.module}`))).toEqual(new Set(['home mail']));
    return Object.fromEntries(all.map(({ name, labels, value }) => [labels.reason ?? name, value]));
  };
  const both = { kerf_module_processes: 2, kerf_module_process_ready: 2 };
  expect(await counts()).toEqual({ ...both, planned: 0, crash: 0 });
  process.kill((await kerf.pidOf('mail'))!, 'SIGKILL');
  await expect.poll(counts).toEqual({ ...both, planned: 0, crash: 1 });
  expect(await operator.ask('PUT', '/modules/mail', { placement: 'in-process', forNow: true })).toMatchObject({
    status: 200,
  });
  expect(await counts()).toEqual({ planned: 2, crash: 1 });
  expect(await kerf.stop()).toBe(0);
});

it('are read by the token of scrapers only, which gives no orders', async () => {
  const token = 'a-token-for-the-scrapers';
  const kerf = await Kerf.start({ env: { MODULE_MAIL: 'http', METRICS_TOKEN: token } });
  const operator = readFileSync(join(kerf.dataDir, 'operator-token'), 'utf8').trim();
  const mail = kerf.announced.modules.find(({ name }) => name === 'mail')!.instances[0]!.address!;
  const statusOf = async (url: string, bearer?: string) =>
    (await fetch(url, { headers: bearer ? { authorization: `Bearer ${bearer}` } : {} })).status;
  for (const url of [
    `${kerf.announced.internal}/metrics`,
    `${kerf.announced.internal}/metrics/targets`,
    `${mail}/metrics`,
  ]) {
    expect([await statusOf(url, token), await statusOf(url, operator), await statusOf(url)]).toEqual([200, 401, 401]);
  }
  expect(await statusOf(`${kerf.announced.internal}/ops/topology`, token)).toBe(401);
  expect(await statusOf(`${mail}/metrics/targets`, token)).toBe(401);
  expect(await statusOf(`${kerf.url}/metrics`, token)).toBe(404);
  expect(await kerf.stop()).toBe(0);
});
