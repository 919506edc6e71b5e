import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort, Kerf, newDataDir, startAndFail } from '../harness/kerf.ts';
import { Operator } from '../harness/operator.ts';
import { Shop, type Summary } from '../harness/shop.ts';

const secret = 'the secret of a system of over 32 characters';
const started: Kerf[] = [];
const folders: string[] = [];

afterEach(async () => {
  expect(await Promise.all(started.splice(0).map((each) => each.stop()))).toEqual(expect.not.arrayContaining([1]));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const folder = () => {
  folders.push(newDataDir());
  return folders.at(-1)!;
};
const start = async (...options: Parameters<typeof Kerf.start>) => {
  started.push(await Kerf.start(...options));
  return started.at(-1)!;
};

/** Runs `npx kerf identity` on the home process's machine. Returns the identity file. */
function identityOf(module: string, dataDir: string): string {
  const file = join(folder(), `${module}.identity`);
  const env = { PATH: process.env.PATH, DATA_DIR: dataDir, TOPOLOGY: '/dev/null' };
  writeFileSync(file, execFileSync(process.execPath, ['dist/app.js', `--identity=${module}`], { env }), {
    mode: 0o600,
  });
  return file;
}

/** Starts a home process, and payments with its own data folder, as on another machine. */
async function twoMachines(home: Record<string, string>, other: (dataDir: string) => Record<string, string>) {
  const [homePort, port] = [String(await freePort()), String(await freePort())];
  const placed = { MODULE_PAYMENTS: `http://127.0.0.1:${port}`, HOME_ADDRESS: `http://127.0.0.1:${homePort}` };
  const dataDir = folder();
  const env = { ...placed, ...home, INTERNAL_PORT: homePort };
  const kerf = await start({ dataDir, env });
  const words = ['--only', 'payments'];
  await start({ dataDir: folder(), env: { ...placed, ...other(dataDir), INTERNAL_PORT: port }, words });
  return kerf;
}

async function expectOrderAndOperators(kerf: Kerf): Promise<void> {
  const shop = await new Shop(kerf.url).join();
  const { status, body } = await shop.order('WAX');
  expect(status).toBe(201);
  const { payment } = (await shop.get<Summary>(`/orders/${body.id}/summary`)).body;
  expect(payment).toMatchObject({ status: 'captured' });
  expect((await new Operator(kerf).ask('GET', '/dead-letters')).body).toEqual({ items: [] });
}

describe('a process on another machine', () => {
  it('joins the system with its identity file, and accepts admin requests', async () => {
    const kerf = await twoMachines({}, (dataDir) => ({ INTERNAL_IDENTITY: identityOf('payments', dataDir) }));
    await expectOrderAndOperators(kerf);
  });

  it('joins the system with the same INTERNAL_KEY', async () => {
    const key = { INTERNAL_KEY: secret };
    await expectOrderAndOperators(await twoMachines(key, () => key));
  });

  it('does not start with the identity of another module or a missing file', async () => {
    const dataDir = folder();
    const identity = identityOf('mail', dataDir);
    const env = { DATA_DIR: dataDir, MODULE_PAYMENTS: 'http://127.0.0.1:9', INTERNAL_PORT: '0' };
    const words = ['--only', 'payments'];
    const other = await startAndFail({ ...env, INTERNAL_IDENTITY: identity }, words);
    expect([other.code, other.stderr]).toEqual([
      1,
      `kerf: setting INTERNAL_IDENTITY: ${identity} is the identity of mail; make one of payments\n`,
    ]);
    const none = await startAndFail({ ...env, INTERNAL_IDENTITY: join(dataDir, 'nowhere') }, words);
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringMatching(/^kerf: setting INTERNAL_IDENTITY: .* cannot be read/),
    ]);
  });
});

it.skipIf(!existsSync('/proc/self/environ'))(
  'module processes inherit neither secrets of the home process nor settings of other modules',
  async () => {
    const tokens = { OPERATOR_TOKEN: 'a-token-of-the-operators', TRACES_TOKEN: 'a-token-of-senders' };
    const system = { INTERNAL_KEY: secret, ...tokens, MODULE_PAYMENTS: 'http' };
    const env = { ...system, PAYMENTS_PROVIDER_KEY: 'a key of payments', SMS_PROVIDER_KEY: 'a key of sms' };
    const kerf = await start({ dataDir: folder(), env });
    const environment = (pid: number) => readFileSync(`/proc/${pid}/environ`, 'utf8');
    expect(environment(kerf.process.pid!)).toContain(secret);
    const [pid] = kerf.announced.modules.find(({ name }) => name === 'payments')!.instances.map((each) => each.pid);
    expect(environment(pid!)).toContain('MODULE_PAYMENTS');
    expect(environment(pid!)).toContain(env.PAYMENTS_PROVIDER_KEY);
    for (const each of [secret, env.OPERATOR_TOKEN, env.TRACES_TOKEN, env.SMS_PROVIDER_KEY])
      expect(environment(pid!)).not.toContain(each);
  },
);
