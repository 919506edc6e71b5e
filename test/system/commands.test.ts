import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freePort, Kerf } from '../harness/kerf.ts';
import type { Ended, Letter, Operator } from '../harness/operator.ts';
import { Poisoned, unknown } from './operators/poison.ts';

/** Expects a failure with a one-line error message. Returns the message. */
function failed({ code, stdout, stderr }: Ended, exitCode = 1): string {
  expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
  expect([code, stdout]).toEqual([exitCode, '']);
  return stderr;
}

function succeeded({ code, stdout, stderr }: Ended): string {
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('the operator commands', () => {
  let home: Kerf;
  let system: Poisoned;
  let operator: Operator;
  beforeAll(async () => {
    home = await Kerf.start({ env: { MODULE_NOTIFICATIONS: 'http' } });
    system = await Poisoned.in(home);
    operator = system.operator;
  });
  afterAll(async () => expect(await home.stop()).toBe(0));

  const letters = (...words: string[]) => operator.runInHost('dead-letters', words);
  const unknownVersion = () => system.unknownVersion({ orderId: randomUUID(), memberId: system.memberId });

  it('topology: prints where each module runs', async () => {
    const told = succeeded(await operator.run('topology', []));
    expect(told).toMatch(/^events: mitt\n/);
    expect(told).toMatch(/^orders +ready +in-process, home process \(process \d+\)$/m);
    expect(told).toMatch(/^notifications +ready +http, http:\/\/127\.0\.0\.1:\d+ \(process \d+\)$/m);
    const { modules } = JSON.parse(succeeded(await operator.runInHost('topology', ['--json'])));
    expect(modules).toHaveLength(home.announced.modules.length);
  });

  it('dead-letters list: prints one line for each dead letter, with the reason', async () => {
    const [one, other] = [await unknownVersion(), await system.mismatch(randomUUID())];
    const lines = succeeded(await operator.run('dead-letters', ['list'])).split('\n');
    for (const { id, type, key, lastError, history } of [one, other]) {
      const line = lines.find((each) => each.startsWith(`${id} `))!;
      expect(line.split(/ {2,}/)).toEqual([id, type, key, history.at(-1)!.at, lastError]);
    }
    const chosen = ['--module', 'notifications', '--type', unknown, '--key', one.key, '--error', 'does not know'];
    const { items } = JSON.parse(succeeded(await letters('list', ...chosen, '--json'))) as { items: Letter[] };
    const { event: _, ...listed } = one;
    expect(items).toEqual([listed]);
    expect(succeeded(await letters('list', '--key', 'nobody'))).toBe('there are no dead letters\n');
  });

  it('dead-letters show: prints the event, and one line for each entry of the history', async () => {
    const letter = await unknownVersion();
    const told = succeeded(await letters('show', letter.id));
    expect(told.split('\n')[0]).toBe(`${letter.id}  dead`);
    expect(told).toMatch(/^[-\d]+T[:.\d]+Z {2}dead {2}notifications does not know/m);
    expect(told).toContain(JSON.stringify(letter.event, null, 2));
    expect(JSON.parse(succeeded(await letters('show', letter.id, '--json')))).toEqual(letter);
  });

  it('dead-letters replay: replays one dead letter, or all that match', async () => {
    const [one, other] = [await unknownVersion(), await unknownVersion()];
    const tried = async ({ id }: Letter) => (await operator.letter(id)).history.map(({ what }) => what).join(' ');
    expect(succeeded(await letters('replay', one.id))).toBe(`${one.id}  tried again\n`);
    await eventually(async () => (await tried(one)) === 'dead replayed dead', 'the second dead letter');
    expect(succeeded(await letters('replay', '--key', other.key))).toBe('notifications  1 tried again\n');
    await eventually(async () => (await tried(other)) === 'dead replayed dead', 'the second dead letter');
    expect(await tried(one)).toBe('dead replayed dead');
    expect(succeeded(await letters('replay', '--key', 'nobody'))).toBe('there is none that fits\n');
    const told = JSON.parse(succeeded(await letters('replay', '--all', '--json')));
    expect(told.items).toEqual([{ module: 'notifications', count: expect.any(Number) }]);
    await eventually(async () => (await tried(other)) === 'dead replayed dead replayed dead', 'the third dead letter');
  });

  it('dead-letters discard: discards one dead letter, or all that match, with a reason', async () => {
    const [one, other] = [await unknownVersion(), await unknownVersion()];
    expect(succeeded(await letters('discard', one.id, '--reason', 'a test order'))).toBe(`${one.id}  discarded\n`);
    expect((await operator.letter(one.id)).history.at(-1)).toMatchObject({ what: 'discarded', why: 'a test order' });
    expect((await operator.letter(other.id)).state).toBe('dead');
    const told = succeeded(await letters('discard', '--module', 'notifications', '--reason', 'a test', '--json'));
    expect(JSON.parse(told).items).toEqual([{ module: 'notifications', count: expect.any(Number) }]);
    expect(succeeded(await letters('list'))).toBe('there are no dead letters\n');
  });

  const misused: [words: string[], about: string][] = [
    [[], 'name an action: list, show, replay, discard'],
    [['toString'], "unknown action 'toString'; there are list, show, replay, discard"],
    [['reply'], "unknown action 'reply' (did you mean replay?)"],
    [['list', 'notifications'], 'unknown word "notifications"'],
    [['list', '--color'], "unknown option '--color'"],
    [['list', '--modul', 'x'], "unknown option '--modul' (did you mean --module?)"],
    [['list', '--reason', 'x'], "unknown option '--reason'"],
    [['show'], 'missing <id>: the id, as list shows it'],
    [['show', 'notifications.in-1', 'notifications.in-2'], 'unknown word "notifications.in-2"'],
    [['replay'], 'an id, filters, or --all'],
    [['replay', 'notifications.in-1', '--key', 'x'], 'an id or filters'],
    [['replay', '--all', '--key', 'x'], '--all'],
    [['discard', '--all'], '--reason'],
    [['discard', '--reason', 'x'], 'an id, filters, or --all'],
  ];
  it.each(misused)('fail with the arguments %j', async (words, about) => {
    const said = failed(await letters(...words), 2);
    expect(said).toContain(about);
    expect(said).toMatch(/; see npx kerf dead-letters( \w+)? --help\n$/);
  });

  it('fail with the error of the system', async () => {
    expect(failed(await letters('show', 'notifications.in-999999'))).toContain('there is no dead letter');
    expect(failed(await letters('replay', 'billing.in-1'))).toContain(
      'unknown id "billing.in-1"; an id begins with its module',
    );
    expect(failed(await letters('list', '--module', 'billing'))).toContain('there is no module "billing"');
    expect(failed(await operator.runInHost('topology', ['now']), 2)).toContain('unknown word "now"');
    const advised = async (per: string) => failed(await operator.runInHost('advise', ['--per', per]));
    expect(await advised('order.place')).toContain('there is no module "order"; there are members, catalog');
    expect(await advised('orders.buy')).toContain('orders has no operation "buy"; there are place');
    const extract = (...words: string[]) => operator.runInHost('extract', ['payments', ...words]);
    const extracted = async (...words: string[]) => failed(await extract(...words));
    expect(await extracted('--instances', '65')).toContain(
      'instances is a whole number, 1 to 64, as in http?instances=3',
    );
    expect(failed(await extract('--instances', '1&port=4105'), 2)).toContain('instances is a whole number, 1 to 64');
    expect(await extracted('--port', '0')).toContain('port is 1 to 65535, as in http?port=4105');
  });

  it.each([
    [[], 'missing <module>: the module, such as payments'],
    [['payments', 'mail'], 'unknown word "mail"'],
    [['payments', '--via', 'pigeon'], "'pigeon' is invalid; it is one of http, grpc, queue"],
    [['payments', '--artifact', 'missing.mjs'], "unknown option '--artifact'"],
    [['payments', '--canary', '5'], '--canary is a share such as 5% or 0.05, 0.1% to 100%, not "5"'],
    [['payments', '--canary', '0%'], '--canary is a share'],
    [['payments', '--canary', '5%', '--stage', '1%'], '--stage is a number of seconds, 0.1 to 3600, not "1%"'],
    [['payments', '--stage', '1'], 'are for --canary'],
    [['payments', '--mirror', 'soon'], '--mirror is a number of seconds'],
    [['payments', '--mirror-optional'], '--mirror-optional is for --mirror'],
    [['payments', '--canary', '5%', '--least-calls', '0'], '--least-calls is a number of calls'],
    [['payments', '--port', 'any'], '--port is a number, 1 to 65535, or free'],
  ])('move nothing at the words %j', async (words, about) => {
    const said = failed(await operator.runInHost('extract', words), 2);
    expect(said).toContain(about);
    expect(said).toContain('; see npx kerf extract --help');
  });

  it('extract and absorb: print each step as it happens, as JSON lines or as text', async () => {
    const out = succeeded(await operator.run('extract', ['payments', '--for-now', '--json']));
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const steps = ['preflight', 'start', 'contract', 'warm', 'move calls', 'drain', 'hand over', 'persist', 'close'];
    expect(lines.flatMap(({ begun }) => begun ?? [])).toEqual(steps);
    expect(lines.flatMap(({ done }) => done?.step ?? [])).toEqual(steps);
    expect(lines.at(-1)).toEqual({ report: expect.objectContaining({ module: 'payments', to: 'http' }) });
    const back = succeeded(await operator.run('absorb', ['payments', '--for-now']));
    for (const step of steps) expect(back).toContain(`✓ ${step}`);
    expect(back).toMatch(/payments runs in-process now, after \d+ ms/);
    for (const counted of ['calls', 'events', 'sagas', 'timers']) expect(back).toContain(`  ${counted} `);
  });

  it('extract: prints once why a step failed and what to do', async () => {
    const { code, stdout, stderr } = await operator.run('extract', ['payments', '--via', 'queue', '--for-now']);
    expect([code, stdout]).toEqual([1, '  ✗ preflight\n']);
    expect(stderr).toMatch(
      /^kerf: queue goes over the broker of BUS, and BUS is mitt; start Kerf with BUS as amqp:[^\n]+\n$/,
    );
  });

  it('extract and absorb: keep settings that the command does not name, also across an absorption', async () => {
    const move = async (command: string, ...words: string[]) => {
      const said = succeeded(await operator.runInHost(command, ['payments', '--for-now', ...words]));
      return /payments runs (\S+) now/.exec(said)?.[1];
    };
    const placed = [
      await move('extract', '--via', 'grpc', '--instances', '2'),
      await move('extract', '--via', 'http'),
      await move('absorb'),
      await move('extract'),
      await move('absorb'),
    ];
    expect(placed).toEqual([
      ...['grpc?instances=2', 'http?instances=2', 'in-process', 'http?instances=2', 'in-process'],
    ]);
  });

  it.each([
    ['topology'],
    ['dead-letters', 'list'],
    ['sagas', 'list'],
    ['faults', 'put'],
    ['log-levels', 'set'],
    ['extract'],
    ['absorb'],
    ['replace'],
    ['advise'],
    ['doctor'],
  ])('print help: %j', async (...named) => {
    const [command = '', ...action] = named as string[];
    const ofCommand = succeeded(await operator.runInHost(command, ['--help']));
    for (const part of [`npx kerf ${command}`, 'INTERNAL_PORT', 'OPERATOR_TOKEN']) expect(ofCommand).toContain(part);
    const told = succeeded(await operator.runInHost(command, [...action, '-h']));
    for (const part of [`npx kerf ${[command, ...action].join(' ')}`, '--json']) expect(told).toContain(part);
  });

  it('fail without a token, with a wrong token, without a listener, and against another program', async () => {
    const list = (env: Record<string, string>) => operator.runInHost('dead-letters', ['list'], env);
    expect(failed(await operator.run('dead-letters', ['list'], { DATA_DIR: 'nowhere' }))).toContain(
      'nowhere/operator-token cannot be read; set DATA_DIR to the data folder of the running system, or OPERATOR_TOKEN; the first start writes the file: npm start',
    );
    expect(failed(await list({ OPERATOR_TOKEN: 'a-token-of-somebody-else' }))).toContain('does not take this token');
    expect(failed(await list({ INTERNAL_PORT: String(await freePort()) }))).toContain('nobody answers at');
    const other = createServer((_, response) => response.writeHead(404).end('<html>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    expect(failed(await list({ INTERNAL_PORT: String(port) }))).toContain('answered 404; is it Kerf?');
    other.removeAllListeners('request').on('request', (_, response) => response.end('{"items": 1}'));
    expect(failed(await list({ INTERNAL_PORT: String(port) }))).toContain('the answer cannot be understood (items: ');
    other.close();
  });
});
