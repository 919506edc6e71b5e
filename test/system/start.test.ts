import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Authority } from '../harness/authority.ts';
import { Kerf, startAndFail } from '../harness/kerf.ts';
import { logLines } from '../harness/log.ts';

const folder = mkdtempSync(join(tmpdir(), 'kerf-start-'));
const at = (...names: string[]) => join(folder, ...names);
const [ours, others] = await Promise.all([Authority.found('ours'), Authority.found('others')]);
const [tls, otherTls] = await Promise.all([ours.settings(), others.settings()]);
let taken: Server;
let locked: Sqlite.Database;
let takenPort = '';
const web = createWebServer();
let webPort = '';

beforeAll(async () => {
  writeFileSync(at('a-file'), 'not a folder');
  for (const name of ['locked', 'damaged', 'damaged-keys', 'damaged-keys/keys']) mkdirSync(at(name));
  locked = new Sqlite(at('locked', 'orders.db'));
  locked.exec('CREATE TABLE t (n INTEGER); BEGIN EXCLUSIVE');
  writeFileSync(at('damaged', 'orders.db'), Buffer.alloc(8_192, 'garbage '));
  writeFileSync(at('damaged-keys', 'keys', 'sessions.json'), '{');
  writeFileSync(at('damaged.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  writeFileSync(at('broken.yaml'), 'modules: [\n');
  writeFileSync(at('unknown-key.yaml'), 'module:\n  payments: http\n');
  writeFileSync(at('unknown-module.yaml'), 'modules:\n  billing: http\n');
  writeFileSync(at('unknown-setting.yaml'), 'settings:\n  PROT: 3000\n');
  writeFileSync(at('no-map.yaml'), 'payments');
  writeFileSync(at('list.yaml'), '- payments: http\n');
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  takenPort = String((taken.address() as { port: number }).port);
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  webPort = String((web.address() as { port: number }).port);
});

afterAll(() => {
  web.close();
  taken.close();
  locked.close();
  for (const authority of [ours, others]) authority.close();
  rmSync(folder, { recursive: true });
});

/** Settings that prevent a start, and the texts that the one-line error must contain. */
const refused: [about: string, env: () => Record<string, string>, words: string[]][] = [
  ['a placement for an unknown module', () => ({ MODULE_X: 'http' }), ['MODULE_X', 'payments']],
  ['an unknown setting of a module', () => ({ PAYMENTS_COLOR: '1' }), ['PAYMENTS_COLOR', 'PAYMENTS_PROVIDER_URL']],
  ['a port that is not a number', () => ({ PORT: 'abc' }), ['PORT', '"abc"', '0 to 65535']],
  ['a port that is too large', () => ({ INTERNAL_PORT: '65536' }), ['INTERNAL_PORT', '0 to 65535']],
  ['a port that is a fraction', () => ({ PORT: '80.5' }), ['PORT', '0 to 65535']],
  ['a bad placement', () => ({ MODULE_PAYMENTS: 'pigeon' }), ['MODULE_PAYMENTS', '"pigeon"', 'in-process', 'http']],
  ['a placement with a path', () => ({ MODULE_MAIL: 'http://mail/inbox' }), ['MODULE_MAIL', 'http://mail/inbox']],
  ['a placement without a port', () => ({ MODULE_MAIL: 'http://mail' }), ['MODULE_MAIL', 'port', 'http://mail:4105']],
  ['an unknown parity', () => ({ PARITY: 'lax' }), ['PARITY', '"lax"', 'strict or fast']],
  [
    'an invalid name server',
    () => ({ MODULE_MAIL: 'http+dns://mail.internal:4101?server=nobody' }),
    ['MODULE_MAIL', 'server=nobody', '?server=127.0.0.1:8600'],
  ],
  ['an unknown bus', () => ({ BUS: 'pigeon' }), ['BUS', 'mitt']],
  ['a broker password that is not encoded', () => ({ BUS: 'amqp://ann:100%@broker' }), ['BUS', 'percent-encoded']],
  ['a broker with an unknown parameter', () => ({ BUS: 'nats://broker?nmspace=a' }), ['BUS', 'namespace']],
  ['a namespace with an invalid character', () => ({ BUS: 'nats://broker?namespace=a.b' }), ['BUS', 'letters']],
  ['a web server as the broker', () => ({ BUS: `amqp://127.0.0.1:${webPort}` }), ['BUS', 'AMQP', 'port']],
  ['a crash point that is never reached', () => ({ FAULT_POINT: 'saga/checkout@0' }), ['FAULT_POINT', '@3']],
  ['an unknown crash point', () => ({ FAULT_POINT: 'sagas/checkout' }), ['FAULT_POINT', 'relay/, saga/']],
  ['a bad setting of a module', () => ({ SIGN_UP_WIRING: 'magic' }), ['SIGN_UP_WIRING', 'orchestrated']],
  ['a short operator token', () => ({ OPERATOR_TOKEN: 'hush' }), ['OPERATOR_TOKEN', '16']],
  ['a short token of senders of spans', () => ({ TRACES_TOKEN: 'hush' }), ['TRACES_TOKEN', '16']],
  [
    'a token of senders of spans that gives orders as well',
    () => ({ OPERATOR_TOKEN: 'one-token-for-all', TRACES_TOKEN: 'one-token-for-all' }),
    ['TRACES_TOKEN', 'must differ'],
  ],
  ['a public port in use', () => ({ PORT: takenPort }), ['127.0.0.1:', 'is taken', 'set PORT to']],
  ['an internal port in use', () => ({ INTERNAL_PORT: takenPort }), ['127.0.0.1:', 'is taken', 'set INTERNAL_PORT to']],
  ['a data folder that is a file', () => ({ DATA_DIR: at('a-file') }), ['DATA_DIR', at('a-file')]],
  ['a data folder below a file', () => ({ DATA_DIR: at('a-file', 'x') }), ['DATA_DIR', at('a-file')]],
  ['a data folder that cannot be created', () => ({ DATA_DIR: '/proc/none' }), ['DATA_DIR', 'may write to']],
  ['a damaged database', () => ({ DATA_DIR: at('damaged') }), [at('damaged', 'orders.db'), 'backup']],
  ['a locked database', () => ({ DATA_DIR: at('locked') }), [at('locked', 'orders.db'), 'another process', 'end']],
  ['damaged keys', () => ({ DATA_DIR: at('damaged-keys') }), [at('damaged-keys', 'keys', 'sessions.json'), 'restore']],
  ['a certificate without its key', () => ({ INTERNAL_TLS_CERT: tls.INTERNAL_TLS_CERT }), ['INTERNAL_TLS_KEY']],
  ['a key without its certificate', () => ({ INTERNAL_TLS_KEY: tls.INTERNAL_TLS_KEY }), ['INTERNAL_TLS_CERT']],
  ['a missing certificate', () => ({ ...tls, INTERNAL_TLS_CERT: at('none') }), ['INTERNAL_TLS_CERT', at('none')]],
  [
    'a key that is not PEM',
    () => ({ ...tls, INTERNAL_TLS_KEY: at('a-file') }),
    ['INTERNAL_TLS_KEY', at('a-file'), 'PEM'],
  ],
  ['a damaged certificate', () => ({ ...tls, INTERNAL_TLS_CERT: at('damaged.pem') }), ['INTERNAL_TLS_CERT']],
  [
    'the key of another certificate',
    () => ({ ...tls, INTERNAL_TLS_KEY: otherTls.INTERNAL_TLS_KEY }),
    ['INTERNAL_TLS_KEY', 'is not the key of', otherTls.INTERNAL_TLS_KEY],
  ],
  [
    'certificate and key swapped',
    () => ({ ...tls, INTERNAL_TLS_CERT: tls.INTERNAL_TLS_KEY, INTERNAL_TLS_KEY: tls.INTERNAL_TLS_CERT }),
    ['INTERNAL_TLS_CERT', 'INTERNAL_TLS_KEY', 'seem swapped', tls.INTERNAL_TLS_KEY],
  ],
  ['a damaged CA bundle', () => ({ ...tls, INTERNAL_TLS_CA: at('damaged.pem') }), ['INTERNAL_TLS_CA']],
  [
    'mutual TLS without a CA bundle',
    () => ({ ...tls, INTERNAL_TLS_CA: '', INTERNAL_TLS_MUTUAL: 'true' }),
    ['INTERNAL_TLS_CA'],
  ],
  [
    'mutual TLS without a certificate',
    () => ({ INTERNAL_TLS_MUTUAL: 'true' }),
    ['INTERNAL_TLS_MUTUAL', 'INTERNAL_TLS_CERT'],
  ],
  [
    'an invalid value for mutual TLS',
    () => ({ INTERNAL_TLS_MUTUAL: 'maybe' }),
    ['INTERNAL_TLS_MUTUAL', 'true or false'],
  ],
  ['a missing topology file', () => ({ TOPOLOGY: at('none.yaml') }), [at('none.yaml'), 'TOPOLOGY']],
  ['a topology that is a folder', () => ({ TOPOLOGY: folder }), [folder, 'TOPOLOGY']],
  ['a topology that is not YAML', () => ({ TOPOLOGY: at('broken.yaml') }), [at('broken.yaml'), 'line 2']],
  [
    'an unknown key in the topology',
    () => ({ TOPOLOGY: at('unknown-key.yaml') }),
    [at('unknown-key.yaml'), '"module"', 'modules'],
  ],
  ['an unknown module in the topology', () => ({ TOPOLOGY: at('unknown-module.yaml') }), ['"billing"', 'payments']],
  ['an unknown setting in the topology', () => ({ TOPOLOGY: at('unknown-setting.yaml') }), ['"PROT"', 'PORT']],
  ['a topology that is not a map', () => ({ TOPOLOGY: at('no-map.yaml') }), [at('no-map.yaml'), 'bus, modules']],
  ['a topology that is a list', () => ({ TOPOLOGY: at('list.yaml') }), [at('list.yaml'), 'bus, modules', 'colon']],
];

it.concurrent.each(refused)('does not start with %s, and prints what to do', async (_about, env, words) => {
  const { code, stderr } = await startAndFail({ DATA_DIR: mkdtempSync(join(folder, 'data-')), ...env() });
  expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
  for (const word of words) expect(stderr).toContain(word);
  expect(code).toBe(1);
});

const badWords: [words: string[], about: string][] = [
  [['--nonsense'], '--nonsense'],
  [['serve'], 'serve'],
  [['--only', 'billing'], '"billing"'],
  [
    ['--only', 'payments'],
    'payments is placed in-process, so the home process runs it and no caller would find it here',
  ],
  [['--only'], '--only'],
  [['--only', '--json'], '--only'],
];

it.concurrent.each(badWords)('does not start with the arguments %j', async (words, about) => {
  const { code, stderr } = await startAndFail({ DATA_DIR: mkdtempSync(join(folder, 'data-')) }, words);
  expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
  expect(stderr).toContain(about);
  expect(code).toBe(1);
});

it('warns when a module listens on another port than its address in the topology', async () => {
  const kerf = await Kerf.start({ env: { MODULE_PAYMENTS: 'http://127.0.0.1:4105' }, words: ['--only', 'payments'] });
  expect(await kerf.stop()).toBe(0);
  expect(kerf.announced.public).toBeNull();
  // A second line may follow in time: no home process answers.
  const told = logLines(kerf.stderr).filter(({ message }) =>
    message.includes('payments listens on a free port, and the others look for it at http://127.0.0.1:4105: set INTER'),
  );
  expect(told).toMatchObject([{ 'service.name': 'payments', 'log.level': 'warn' }]);
});

it('prints help for its arguments', async () => {
  const { code, stdout, stderr } = await startAndFail({}, ['--help']);
  expect([code, stderr]).toEqual([0, '']);
  for (const word of ['Usage', '--only', '--json']) expect(stdout).toContain(word);
});
