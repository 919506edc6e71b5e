import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, freePort, Kerf } from '../harness/kerf.ts';
import { logLines } from '../harness/log.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';

const planted = { broker: randomUUID(), header: randomUUID(), collector: randomUUID() };
let kerf: Kerf;
let operator: Operator;
let apiKey: string;
let secrets: string[];
/** Settings with secrets. Neither the broker nor the collector answers, so that the log and the doctor tell of both. */
let env: Record<string, string>;

beforeAll(async () => {
  const [broker, collector] = await Promise.all([freePort(), freePort()]);
  env = {
    MODULE_RECOMMENDATIONS: `amqp://kerf:${planted.broker}@127.0.0.1:${broker}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://kerf:${planted.collector}@127.0.0.1:${collector}`,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Basic%20${planted.header}`,
    ...{ OTEL_TRACES_SAMPLER_ARG: '1', LOG_LEVEL: 'debug', LOG_FORMAT: 'json' },
  };
  kerf = await Kerf.start({ env });
  operator = new Operator(kerf);
  // Before anything has found out that the broker does not answer.
  expect((await fetch(`${kerf.url}/recommendations?sku=WAX`)).status).toBe(503);
  apiKey = (await operator.ask<{ token: string }>('POST', '/api-keys', { name: 'Import', roles: ['catalog-editor'] }))
    .body.token;
  const tokens = ['operator-token', 'metrics-token'].map((name) => `${kerf.dataDir}/${name}`);
  secrets = [...Object.values(planted), apiKey, ...tokens.map((file) => readFileSync(file, 'utf8').trim())];
});
afterAll(() => kerf.kill());

/** Returns the parts of the API key, and of one that is wrong at its end alone, that a text shows. */
const keysIn = (text: string) => [apiKey.slice(0, 40), apiKey.slice(22, 60)].filter((part) => text.includes(part));
const shown = (text: string) => secrets.filter((secret) => text.includes(secret));

it('no answer to an operator shows a secret of the settings', async () => {
  for (const path of [
    '/api-keys',
    '/roles',
    '/topology',
    '/processes',
    '/modules/recommendations',
    '/traces',
    '/outbox',
  ]) {
    const { status, body } = await operator.ask('GET', path);
    expect([path, status, shown(JSON.stringify(body))]).toEqual([path, 200, []]);
  }
  const { body } = await operator.ask('GET', '/topology');
  expect(JSON.stringify(body)).toContain('amqp://127.0.0.1');
});

it('no span shows a secret of the settings, nor the password of a broker that takes calls', async () => {
  const { body: list } = await operator.ask('GET', '/traces?service=gateway');
  const { items } = list as { items: { traceId: string }[] };
  const spans = await Promise.all(items.map(({ traceId }) => operator.ask('GET', `/traces/${traceId}`)));
  const text = JSON.stringify(spans);
  expect(text).toContain('"server.address":"amqp://127.0.0.1');
  expect(shown(text)).toEqual([]);
});

it('no span shows an e-mail address or a secret that a client has put into a path', async () => {
  for (const text of ['zoltan%40example.com', planted.header]) await fetch(`${kerf.url}/members/${text}`);
  const { body } = await operator.ask('GET', '/traces?service=gateway');
  const paths = JSON.stringify(body);
  const { items } = body as { items: { traceId: string }[] };
  const spans = JSON.stringify(
    await Promise.all(items.map(({ traceId }) => operator.ask('GET', `/traces/${traceId}`))),
  );
  expect(spans).toContain('"url.path":"/members/[email]"');
  expect(spans).toContain('"url.path":"/members/[hidden]"');
  expect([shown(paths + spans), (paths + spans).includes('zoltan')]).toEqual([[], false]);
});

it('no error about a placement shows its password', async () => {
  for (const placement of [`amqp://kerf:${planted.broker}@`, `pigeon://kerf:${planted.broker}@broker:1`]) {
    const { status, body } = await operator.ask('PUT', '/modules/sms', { placement, forNow: true });
    expect([status, shown(JSON.stringify(body))]).toEqual([422, []]);
  }
});

it('no answer and no span shows an API key that a client sends, right or wrong, where it belongs or elsewhere', async () => {
  const wrong = `${apiKey.slice(0, -4)}AAAA`;
  const body = JSON.stringify({ name: 'Wax', description: apiKey, price: null });
  for (const key of [apiKey, wrong]) {
    const authorization = `Bearer ${key}`;
    const asked: [path: string, init: RequestInit][] = [
      ['/orders', { headers: { authorization } }],
      ['/products/WAX', { method: 'PUT', headers: { authorization, 'content-type': 'application/json' }, body }],
      [`/posts/${key}`, { method: 'PUT', headers: { authorization: `Basic ${key}` } }],
      [`/posts/${key.replaceAll('_', '%5F')}`, {}],
      [`/products?query=${key}`, { headers: { baggage: `key=${key}`, 'x-request-id': key } }],
    ];
    const answers = await Promise.all(
      asked.map(async ([path, init]) => (await fetch(`${kerf.url}${path}`, init)).text()),
    );
    expect(keysIn(answers.join())).toEqual([]);
  }
  const { body: list } = await operator.ask('GET', '/traces?service=gateway');
  const { items } = list as { items: { traceId: string }[] };
  const spans = await Promise.all(items.map(({ traceId }) => operator.ask('GET', `/traces/${traceId}`)));
  expect(keysIn(JSON.stringify([list, spans]))).toEqual([]);
});

it('the doctor shows no secret', async () => {
  const { stdout, stderr } = await operator.run('doctor', ['--json'], { TOPOLOGY: '/dev/null', ...env });
  expect(stdout).toContain('the placement of recommendations: amqp://127.0.0.1');
  expect(shown(stdout + stderr)).toEqual([]);
});

it('no line of the log shows a secret: not when broker and collector fail, nor when a client sends it', async () => {
  await (await new Shop(kerf.url).join()).order('WAX');
  expect((await fetch(`${kerf.url}/recommendations?sku=WAX`)).status).toBe(503);
  for (const secret of secrets) await fetch(`${kerf.url}/products/${secret}`);
  await eventually(async () => kerf.stderr.includes('spans or log lines cannot be sent'), 'a line about the collector');
  const hidden = () => logLines(kerf.stderr).filter((line) => JSON.stringify(line).includes('/products/[hidden]'));
  await eventually(async () => hidden().length === secrets.length, 'a line for each secret');
  expect([shown(kerf.stderr), keysIn(kerf.stderr)]).toEqual([[], []]);
});
