import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { certificateFiles, keyAges, secretFiles } from '../../scripts/doctor/secrets.ts';
import { brokers, ports, readSettings, settings, sources } from '../../scripts/doctor/settings.ts';
import { dayMs } from '../../scripts/doctor/units.ts';
import type { Prerequisites } from '../../src/shared/control/admin-contract/index.ts';
import { Authority, type TlsSettings } from '../harness/authority.ts';

let folder: string;
let authority: Authority;
let other: Authority;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-doctor-'));
  authority = await Authority.found('one');
  other = await Authority.found('other');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  authority.close();
  other.close();
});

const named = (given: Partial<Prerequisites> = {}): Prerequisites => ({
  ...{ dataDir: folder, listeners: [], files: [], processes: 0, brokers: [], sources: [] },
  ...given,
});
const levels = (findings: readonly { level: string }[]) => findings.map(({ level }) => level);

it('settings: reports the message of the program, which names the mistake', async () => {
  const topology = join(folder, 'topology.yaml');
  writeFileSync(topology, 'modules:\n  payment: http\n');
  const environment = { PATH: process.env.PATH, TOPOLOGY: topology, DATA_DIR: folder };
  await expect(readSettings([], environment)).rejects.toThrow('there is no module "payment"');
  await expect(readSettings([], { ...environment, TOPOLOGY: '/dev/null', PORT: '99999' })).rejects.toThrow('PORT');
  const whyNoSettings = 'setting PORT: must be a port';
  expect(settings({ settings: undefined, system: undefined, whyNoSettings })).toEqual([
    { level: 'error', what: whyNoSettings, todo: expect.stringContaining('correct topology.yaml') },
  ]);
});

it('settings: lists what a start would need, with brokers and sources that do not answer, and no password', async () => {
  writeFileSync(join(folder, 'empty.addresses'), '# none\n');
  writeFileSync(join(folder, 'two.addresses'), 'http://127.0.0.1:4105\nhttp://127.0.0.1:4106\n');
  const environment = {
    ...{ PATH: process.env.PATH, TOPOLOGY: '/dev/null', DATA_DIR: folder, PORT: '0', INTERNAL_PORT: '4001' },
    ...{ BUS: 'amqp://shop:planted-secret@127.0.0.1:1', MODULE_MAIL: 'http?instances=2' },
    ...{ MODULE_SMS: `file:${folder}/empty.addresses`, MODULE_BOARD: `file:${folder}/two.addresses` },
  };
  const read = await readSettings([], environment);
  expect(read).toMatchObject({
    ...{ dataDir: folder, processes: 2, files: [] },
    listeners: [
      { setting: 'PORT', host: '127.0.0.1', port: 0 },
      { setting: 'INTERNAL_PORT', host: '127.0.0.1', port: 4001 },
    ],
    brokers: [{ setting: 'BUS', address: 'amqp://127.0.0.1:1', why: expect.any(String) }],
  });
  expect(Object.fromEntries(read.sources.map(({ module, found }) => [module, found]))).toEqual({ sms: 0, board: 2 });
  expect(JSON.stringify(read)).not.toContain('planted-secret');
  expect(levels(brokers(read))).toEqual(['error']);
  expect(levels(sources(read)).sort()).toEqual(['ok', 'warning']);
});

it.each(['amqp', 'nats'])(
  'settings: ends although an %s broker accepts connections and never answers',
  async (protocol) => {
    const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const child = spawn(process.execPath, ['dist/app.js', '--prerequisites'], {
      env: { TOPOLOGY: '/dev/null', DATA_DIR: folder, BUS: `${protocol}://127.0.0.1:${port}` },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(JSON.parse(output).brokers).toEqual([
      { setting: 'BUS', address: `${protocol}://127.0.0.1:${port}`, why: expect.any(String) },
    ]);
    expect(code).toBe(0);
    server.close();
  },
);

it('settings: connects to a broker at an address of IPv6', async () => {
  const environment = { PATH: process.env.PATH, TOPOLOGY: '/dev/null', DATA_DIR: folder, BUS: 'kafka://[::1]:1' };
  const { brokers: found } = await readSettings([], environment);
  // A machine without IPv6 says EADDRNOTAVAIL.
  expect(found[0]?.why).toMatch(/::1:1\b/);
});

it('ports: sees a port that is taken, and asks nothing while the system runs', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const listeners = [
    { setting: 'PORT', host: '127.0.0.1', port },
    { setting: 'INTERNAL_PORT', host: '127.0.0.1', port: 0 },
    { setting: 'the placement of mail', host: '192.0.2.1', port: 4105 },
  ];
  const subject = { settings: named({ listeners }), system: undefined };
  expect(await ports(subject)).toEqual([
    {
      level: 'error',
      what: `PORT: 127.0.0.1:${port} cannot be used: EADDRINUSE`,
      todo: expect.stringContaining('set PORT'),
    },
    { level: 'ok', what: 'INTERNAL_PORT: a free port' },
    { level: 'error', what: expect.stringContaining('EADDRNOTAVAIL'), todo: expect.stringContaining('HOST') },
  ]);
  expect(await ports({ ...subject, whyNoSystem: 'it does not answer' })).toEqual([]);
  await new Promise((resolve) => server.close(resolve));
});

it('secrets: sees files that others may read, and shows no content', () => {
  const dataDir = join(folder, 'secrets');
  expect(levels(secretFiles(named({ dataDir })))).toEqual(['ok']);
  mkdirSync(join(dataDir, 'keys'), { recursive: true });
  writeFileSync(join(dataDir, 'operator-token'), 'planted-secret', { mode: 0o600 });
  writeFileSync(join(dataDir, 'keys', 'internal.json'), 'planted-secret', { mode: 0o600 });
  expect(secretFiles(named({ dataDir }))).toEqual([{ level: 'ok', what: '2 files with secrets, for this user alone' }]);
  expect(levels(secretFiles(named({ dataDir }), -1))).toEqual(['warning', 'warning']);
  chmodSync(join(dataDir, 'operator-token'), 0o644);
  const found = secretFiles(named({ dataDir }));
  expect(found).toEqual([
    {
      level: 'error',
      what: `others may read ${dataDir}/operator-token (mode 644)`,
      todo: expect.stringContaining('chmod 600'),
    },
  ]);
  const damaged = keyAges(named({ dataDir }));
  expect(levels(damaged)).toEqual(['error']);
  expect(JSON.stringify([found, damaged])).not.toContain('planted-secret');
});

it('keys: warns of a signing key that is over a year old', () => {
  const dataDir = join(folder, 'old');
  mkdirSync(join(dataDir, 'keys'), { recursive: true });
  const createdAt = '2025-01-01T00:00:00.000Z';
  writeFileSync(
    join(dataDir, 'keys', 'internal.json'),
    JSON.stringify({ keys: [{ kid: 'a', secret: 'b', createdAt }] }),
  );
  expect(levels(keyAges(named({ dataDir }), Date.parse(createdAt) + 300 * dayMs))).toEqual(['ok']);
  expect(keyAges(named({ dataDir }), Date.parse(createdAt) + 400 * dayMs)).toEqual([
    { level: 'warning', what: expect.stringContaining('400 days old'), todo: 'npx kerf rotate-keys' },
  ]);
  expect(levels(keyAges(named({ dataDir }), Date.parse(createdAt) - dayMs))).toEqual(['ok']);
});

const filesOf = (tls: Partial<TlsSettings>) => Object.entries(tls).map(([setting, file]) => ({ setting, file }));

it('certificates: warns 14 days before the end, and says what ended, is not valid yet, or cannot be read', async () => {
  const files = filesOf(await authority.settings());
  const valid = Date.now() + 60_000;
  const level = (now: number) => levels(certificateFiles(named({ files }), now));
  expect(level(valid)).toEqual(['ok', 'ok', 'ok']);
  const ends = certificateFiles(named({ files }), valid).map(({ what }) => /on (\d{4}-\d\d-\d\d)/.exec(what)?.[1]);
  const end = Date.parse(ends[0]!);
  expect(level(end - 13 * dayMs)[0]).toBe('warning');
  expect(level(end + 2 * dayMs)[0]).toBe('error');
  expect(certificateFiles(named({ files }), 0)[0]).toMatchObject({
    level: 'error',
    what: expect.stringContaining('is not valid before'),
  });
  const missing = [{ setting: 'INTERNAL_TLS_CERT', file: join(folder, 'nowhere.pem') }];
  expect(levels(certificateFiles(named({ files: missing })))).toEqual(['error']);
  expect(certificateFiles(named())).toEqual([]);
});

it('certificates: sees a CA bundle of another authority', async () => {
  const own = await authority.settings();
  const strange = await other.settings();
  const files = filesOf({ ...own, INTERNAL_TLS_CA: strange.INTERNAL_TLS_CA });
  expect(certificateFiles(named({ files }), Date.now() + 60_000).at(-1)).toMatchObject({
    level: 'error',
    what: 'no certificate in INTERNAL_TLS_CA has issued that of INTERNAL_TLS_CERT',
  });
});
