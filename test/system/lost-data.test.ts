import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort, Kerf, startAndFail } from '../harness/kerf.ts';
import { Shop, type Summary } from '../harness/shop.ts';

const folders: string[] = [];
const running: Kerf[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-lost-'));
  folders.push(folder);
  return folder;
};
async function start(dataDir: string, env: Record<string, string> = {}, words: string[] = []): Promise<Kerf> {
  const kerf = await Kerf.start({ dataDir, env, words });
  running.push(kerf);
  return kerf;
}
const why = async (dataDir: string, env: Record<string, string> = {}, words: string[] = []) => {
  const { code, stderr } = await startAndFail({ ...env, DATA_DIR: dataDir }, words);
  return { code, stderr };
};

afterEach(async () => {
  await Promise.all(running.splice(0).map((kerf) => kerf.kill()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Copies the data folder of a stopped system that has served an order. */
function folderAfterAnOrder(): string {
  const folder = newFolder();
  cpSync(served, folder, { recursive: true });
  return folder;
}

const served = mkdtempSync(join(tmpdir(), 'kerf-served-'));
beforeAll(async () => {
  const kerf = await start(served);
  expect((await (await new Shop(kerf.url).join()).order('WAX')).status).toBe(201);
  await kerf.stop();
});
afterAll(() => rmSync(served, { recursive: true }));

describe('a system with lost data', () => {
  it('does not start, and prints what to do', async () => {
    const folder = folderAfterAnOrder();
    rmSync(join(folder, 'payments.db'));
    const { code, stderr } = await why(folder);
    const message =
      /^kerf: the data of "payments" \(.*payments\.db\) cannot be opened: it is missing: commit \d+ was seen at .*; restore it from a backup, or start once with npm start -- --accept-loss payments to accept the data as it is$/;
    expect([code, stderr.split('\n')]).toEqual([1, [expect.stringMatching(message), '']]);
  });

  it('starts once when --accept-loss names the module, extracted or in-process', async () => {
    const folder = folderAfterAnOrder();
    rmSync(join(folder, 'payments.db'));
    expect((await why(folder, {}, ['--accept-loss', 'orders'])).stderr).toContain('it is missing');
    expect((await why(folder, { MODULE_PAYMENTS: 'http' })).stderr).toMatch(/the data of "payments".*it is missing/);
    expect((await why(folder, {}, ['--accept-loss', 'paymnets'])).stderr).toMatch(
      /there is no module "paymnets"; there are .*payments/,
    );
    const kerf = await start(folder, { MODULE_PAYMENTS: 'http' }, ['--accept-loss', 'payments']);
    expect(await kerf.pidOf('payments')).not.toBeNull();
    await kerf.stop();
    rmSync(join(folder, 'payments.db'));
    expect((await why(folder)).stderr).toContain('it is missing');
  });
});

/** Starts a home process, and payments elsewhere with its own data folder. */
async function apart(home: string) {
  const [homePort, port] = await Promise.all([freePort(), freePort()]);
  const env = {
    MODULE_PAYMENTS: `http://127.0.0.1:${port}`,
    HOME_ADDRESS: `http://127.0.0.1:${homePort}`,
    INTERNAL_KEY: 'k'.repeat(40),
  };
  return {
    home: (...words: string[]) => start(home, { ...env, INTERNAL_PORT: String(homePort) }, words),
    whyNotHome: () => why(home, { ...env, INTERNAL_PORT: String(homePort) }),
    payments: (folder: string, ...words: string[]) =>
      start(folder, { ...env, INTERNAL_PORT: String(port) }, ['--only', 'payments', ...words]),
    whyNotPayments: (folder: string, ...words: string[]) =>
      why(folder, { ...env, INTERNAL_PORT: String(port) }, ['--only', 'payments', ...words]),
  };
}

describe('a separately started module with its own data folder', () => {
  it('does not start on an empty folder when the home process knows its data, and starts on a copy of that data', async () => {
    const folder = folderAfterAnOrder();
    const { home, payments, whyNotPayments } = await apart(folder);
    await home();
    const empty = newFolder();
    const { code, stderr } = await whyNotPayments(empty);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /the home process \(http.*\) refuses the data of "payments": it is another database than the one of which commit \d+ was seen/,
      ),
    ]);
    const moved = newFolder();
    cpSync(join(folder, 'payments.db'), join(moved, 'payments.db'));
    await payments(moved);
  });

  it('stops the home process from starting when it started first with other data', async () => {
    const folder = folderAfterAnOrder();
    const { home, whyNotHome, payments } = await apart(folder);
    const service = await payments(newFolder());
    expect(service.stderr).toContain('the home process does not answer there');
    const { code, stderr } = await whyNotHome();
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /the data of "payments" at http.* is refused: it is another database than the one of which.*--accept-loss payments/,
      ),
    ]);
    expect(service.process.exitCode).toBeNull();
    await home('--accept-loss', 'payments');
  });

  it('joins the system with new data only after --accept-loss at the home process', async () => {
    const folder = folderAfterAnOrder();
    const { home, payments, whyNotPayments } = await apart(folder);
    const before = await home();
    const own = newFolder();
    await whyNotPayments(own);
    expect((await whyNotPayments(own, '--accept-loss', 'payments')).stderr).toContain(
      'the home process alone accepts a loss: start that with --accept-loss payments',
    );
    await before.stop();
    await home('--accept-loss', 'payments');
    const service = await payments(own);
    const id = (dataDir: string) =>
      (JSON.parse(readFileSync(join(dataDir, 'system.json'), 'utf8')) as { system: string }).system;
    expect(id(own)).toBe(id(folder));
    await service.stop();
    await (await payments(own)).stop();
  });

  it('starts in a new system in either order, and the home process then knows its data', async () => {
    for (const isFirst of [true, false]) {
      const [folder, own] = [newFolder(), newFolder()];
      const { home, payments, whyNotPayments } = await apart(folder);
      const early = isFirst ? await payments(own) : undefined;
      const kerf = await home();
      const service = early ?? (await payments(own));
      const shop = await new Shop(kerf.url).join();
      const { status, body } = await shop.order('WAX');
      expect(status).toBe(201);
      expect((await shop.get<Summary>(`/orders/${body.id}/summary`)).body.payment).toMatchObject({
        status: 'captured',
      });
      await service.stop();
      expect(existsSync(join(folder, 'payments.db'))).toBe(false);
      if (isFirst) continue;
      expect((await whyNotPayments(newFolder())).stderr).toContain('refuses the data of "payments"');
      await payments(own);
    }
  });
});
