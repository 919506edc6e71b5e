import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { FakeMailServer } from '../crash/adapters/fake-mail-server.ts';
import { deep } from '../harness/deep.ts';
import { eventually, freePort, Kerf, moduleNames, newDataDir, placements } from '../harness/kerf.ts';
import { type LogLine, logLines, refuseSecrets } from '../harness/log.ts';
import { Operator } from '../harness/operator.ts';
import { quiet } from '../harness/quiet.ts';
import { Shop } from '../harness/shop.ts';
import { traceIdOf } from '../harness/traces.ts';

const layouts: [name: string, env: Record<string, string>][] = [
  ['in one process', {}],
  ['with every module in a process of its own', placements({ name: 'all', out: moduleNames })],
];
const [together, apart] = layouts.map(([name]) => name);

for (const [name, env] of layouts)
  describe(`the log of an order, ${name}`, name === together ? deep : {}, () => {
    let kerf: Kerf;
    beforeAll(async () => {
      kerf = await Kerf.start({ env: { ...env, LOG_LEVEL: 'error,orders=debug', LOG_FORMAT: 'json' } });
      await new Operator(kerf).ask('PUT', '/log-levels', { default: 'debug' });
    });
    afterAll(async () => expect(await kerf.stop()).toBe(0));

    it('has lines of each module under one trace, the later ones included', async () => {
      const member = await new Shop(kerf.url).join({ phone: '+4915112345678' });
      const order = { lines: [{ sku: 'WAX', quantity: 1 }], payment: { token: 'tok_ok' } };
      const { status, headers } = await member.post('/orders', order, { prefer: 'wait=10' });
      expect(status).toBe(201);
      const trace = traceIdOf(headers);
      await quiet(kerf);
      const lines = () => logLines(kerf.stderr).filter((line) => line['trace.id'] === trace);
      const wanted = ['gateway', 'inventory', 'mail', 'notifications', 'orders', 'payments', 'sms'];
      const named = () => [...new Set(lines().map((line) => line['service.name']))];
      await eventually(async () => wanted.every((name) => named().includes(name)), 'a line of each module');
      const pids = new Map(lines().map((line) => [line['service.name'], line['process.pid']]));
      expect(new Set(wanted.map((name) => pids.get(name))).size).toBe(env.MODULE_ORDERS ? wanted.length : 1);
      const orderLine = lines().find(({ kerf: own }) => own?.operation === 'place');
      expect(orderLine).toMatchObject({
        ...{ 'service.name': 'orders', 'log.level': 'debug', message: 'a call was served' },
        ...{ 'http.request.id': expect.any(String), kerf: { outcome: 'done' } },
      });
    });
  });

for (const [name, placed] of layouts)
  describe(`secrets never appear in the log, ${name}`, name === apart ? deep : {}, () => {
    const planted = {
      password: `plänted "${randomUUID()}`,
      email: `planted.${randomUUID()}+tag@members.example.net`,
      phone: '+4917755512345',
      name: `Planted ${randomUUID()}`,
      payment: `tok_planted_${randomUUID()}`,
      query: `planted-${randomUUID()}`,
      mailPassword: randomUUID(),
    };
    const secret = () => randomBytes(24).toString('base64');
    const env = {
      ...{ OPERATOR_TOKEN: secret(), INTERNAL_KEY: secret() },
      ...{ PAYMENTS_PROVIDER_KEY: secret(), SMS_PROVIDER_KEY: secret() },
    };
    let server: FakeMailServer;
    beforeEach(() => {
      server = new FakeMailServer();
    });
    afterEach(() => server.close());

    it('whatever fails', async () => {
      server.password = planted.mailPassword;
      server.refusals.set(planted.email, `451 <${planted.email}> (${planted.phone}) is busy`);
      const mail = `smtp://kerf:${planted.mailPassword}@127.0.0.1:${await server.open()}`;
      const nowhere = `http://127.0.0.1:${await freePort()}`;
      const providers = { MAIL_SMTP_URL: mail, SMS_PROVIDER_URL: nowhere, PAYMENTS_PROVIDER_URL: nowhere };
      const kerf = await Kerf.start({ env: { ...placed, ...env, ...providers, LOG_LEVEL: 'debug' } });
      onTestFinished(() => kerf.kill());
      const { name: person, password, email, phone } = planted;
      const member = await new Shop(kerf.url).join({ name: person, password, email, phone });
      await member.checkOut([{ sku: 'WAX', quantity: 1 }], { token: planted.payment, wait: 1 });
      await member.get(`/products?search=${planted.query}`);
      await member.get(`/members/${encodeURIComponent(email)}`);
      await member.post('/sessions', { email, password: `${password}!` });
      await member.send('POST', '/members', `{"email":"${email}","password":`);
      const operator = new Operator(kerf, env.OPERATOR_TOKEN);
      await operator.ask('PUT', '/faults', { faults: [{ ...crash, note: planted.query }] });
      const refusedMail = () => logLines(kerf.stderr).find((line) => line.error?.message.includes('is busy'));
      const line = await eventually(async () => refusedMail(), 'a line about the refused mail');
      expect(line).toMatchObject({ 'service.name': 'mail', error: { message: expect.stringContaining('<[email]>') } });
      expect(line.error!.message).toContain('([phone])');
      expect(await kerf.stop()).toBe(0);
      const log = kerf.stderr;
      expect(new Set(logLines(log).map((each) => each['service.name'])).size).toBeGreaterThan(5);
      const session = member.token!;
      const all = [
        ...Object.values(planted),
        ...Object.values(env),
        session,
        session.split('.')[2]!,
        password.slice(0, 20),
      ];
      refuseSecrets(
        log,
        ...all,
        ...all.map(encodeURIComponent),
        ...all.map((each) => JSON.stringify(each).slice(1, -1)),
      );
    });

    const crash = { caller: 'orders', operation: 'payments.*', forMs: 1_000 };
  });

describe('the levels of a running system', () => {
  const dataDir = newDataDir();
  const kerfs: Kerf[] = [];
  let kerf: Kerf;
  let operator: Operator;
  let shop: Shop;
  beforeAll(async () => {
    const [homePort, port] = (await Promise.all([freePort(), freePort()])).map(String) as [string, string];
    const env = { MODULE_INVENTORY: `http://127.0.0.1:${port}`, HOME_ADDRESS: `http://127.0.0.1:${homePort}` };
    kerf = await Kerf.start({ dataDir, env: { ...env, INTERNAL_PORT: homePort, LOG_LEVEL: 'error' } });
    const inventory = await Kerf.start({
      dataDir,
      env: { ...env, INTERNAL_PORT: port },
      words: ['--only', 'inventory'],
    });
    kerfs.push(kerf, inventory);
    operator = new Operator(kerf);
    shop = await new Shop(kerf.url).join();
  });
  afterAll(async () => {
    for (const each of kerfs) expect(await each.stop()).toBe(0);
    rmSync(dataDir, { recursive: true });
  });

  /** Places an order, and returns the lines that follow, at least one of `module`. */
  async function linesOfOrder(module: string): Promise<LogLine[]> {
    const before = kerfs.map(({ stderr }) => stderr.length);
    expect((await shop.order('WAX')).status).toBe(201);
    return eventually(async () => {
      const lines = kerfs.flatMap(({ stderr }, at) => logLines(stderr.slice(before[at])));
      return lines.some((line) => line['service.name'] === module) && lines;
    }, `a line of ${module}`);
  }
  const put = (levels: object) => operator.ask('PUT', '/log-levels', levels);

  it('change in all processes, and stay with a module that moves', async () => {
    const settings = { default: 'error', modules: {} };
    const answered = await put({ default: 'error', modules: { inventory: 'debug' } });
    expect(answered.body).toEqual({ default: 'error', modules: { inventory: 'debug' }, settings, missed: [] });
    const lines = await linesOfOrder('inventory');
    expect(new Set(lines.map((line) => line['service.name']))).toEqual(new Set(['inventory']));

    expect((await operator.run('log-levels', ['set', 'error,payments=debug'])).stdout).toBe('error,payments=debug\n');
    const home = (await linesOfOrder('payments')).map((line) => line['process.pid']);
    expect(new Set(home)).toEqual(new Set([kerf.process.pid]));
    expect(await operator.runInHost('extract', ['payments', '--for-now'])).toMatchObject({ code: 0 });
    const moved = await linesOfOrder('payments');
    expect(new Set(moved.map((line) => [line['service.name'], line['process.pid']].join()))).toEqual(
      new Set([`payments,${await kerf.pidOf('payments')}`]),
    );
    expect(await operator.runInHost('absorb', ['payments', '--for-now'])).toMatchObject({ code: 0 });
    expect((await linesOfOrder('payments'))[0]!['process.pid']).toBe(kerf.process.pid);

    expect((await operator.runInHost('log-levels', ['reset'])).stdout).toBe('error\n');
    expect((await operator.ask('GET', '/log-levels')).body).toEqual({ ...settings, settings });
  });

  it.each<[body: unknown, path: string, about: string]>([
    [{}, 'default', 'must be one of debug, info, warn, error, silent'],
    [{ default: 'loud' }, 'default', 'must be one of'],
    [
      { default: 'info', modules: { billing: 'info' } },
      'modules.billing',
      'there is no log "billing"; there are gateway',
    ],
    [{ default: 'info', modules: { payments: 'loud' } }, 'modules.payments', 'must be one of'],
    [{ default: 'info', modules: ['payments'] }, 'modules', ''],
    [{ default: 'info', level: 'debug' }, 'level', 'level'],
  ])('%j is refused and changes nothing', async (body, path, about) => {
    const before = await operator.ask('GET', '/log-levels');
    const { status, body: problem } = await operator.ask<{ detail: string; issues: { path: string }[] }>(
      ...(['PUT', '/log-levels', body] as const),
    );
    expect([status, problem.issues[0]!.path]).toEqual([422, path]);
    expect(problem.detail).toContain(about);
    expect((await operator.ask('GET', '/log-levels')).body).toEqual(before.body);
  });

  it.each([
    [[], 'name an action: list, set, reset', 2],
    [['set'], 'missing <levels>: such as info,payments=debug', 2],
    [['set', 'loud'], '"loud" is invalid: the levels must be debug', 2],
    [['list', 'info'], 'unknown word "info"', 2],
    [['set', 'billing=info'], 'there is no log "billing"', 1],
  ])('the command with %j fails with one line', async (words, about, exitCode) => {
    const { code, stdout, stderr } = await operator.runInHost('log-levels', words);
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
    expect(stderr).toContain(about);
  });
});

it('is for a person with LOG_FORMAT=pretty', async () => {
  const kerf = await Kerf.start({ env: { LOG_LEVEL: 'gateway=debug', LOG_FORMAT: 'pretty', MODULE_MAIL: 'http' } });
  expect((await fetch(`${kerf.url}/products`)).status).toBe(200);
  expect(await kerf.stop()).toBe(0);
  expect(kerf.stderr).toMatch(/gateway: a request was answered status=200 ms=\d+ trace=[0-9a-f]{32}\n/);
});

describe('the system serves and stops', () => {
  it('while nobody reads its standard error', async () => {
    const kerf = await Kerf.start({ env: { LOG_LEVEL: 'debug' } });
    onTestFinished(() => kerf.kill());
    kerf.process.stderr!.pause();
    for (let round = 0; round < 100; round++) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${kerf.url}/products?limit=1`)));
      for (const answer of answers) {
        expect(answer.status).toBe(200);
        await answer.arrayBuffer();
      }
    }
    expect(await kerf.stop()).toBe(0);
  });

  it('while its log file takes nothing', async () => {
    const kerf = await Kerf.start({ env: { LOG_LEVEL: 'debug', LOG_FILE: '/dev/full', MODULE_PAYMENTS: 'http' } });
    expect((await (await new Shop(kerf.url).join()).order('WAX')).status).toBe(201);
    expect(await kerf.stop()).toBe(0);
  });
});
