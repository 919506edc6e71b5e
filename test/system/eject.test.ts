import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, Kerf, newDataDir } from '../harness/kerf.ts';
import { boardCases } from './cases/board.cases.ts';
import { cancelCases } from './cases/cancel.cases.ts';
import { checkoutCases } from './cases/checkout.cases.ts';
import { summaryCases } from './cases/summary.cases.ts';
import { System } from './cases/system.ts';

const parts = [
  'src',
  'scripts',
  'deploy',
  'package.json',
  'package-lock.json',
  'rolldown.config.mjs',
  'tsconfig.json',
  'topology.yaml',
  '.npmrc',
];
const nodeModules = join(process.cwd(), 'node_modules');

/** Every file and what is in it, in one number. */
function printOf(folder: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/^(node_modules|dist)/.test(file) || !file.includes('.')) continue;
    const path = join(folder, file);
    if (existsSync(path)) hash.update(file).update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** What npm would install, without a network: links to what is installed here, and to the kernel. */
function linkPackages(repository: string): void {
  const folder = join(repository, 'node_modules');
  mkdirSync(join(folder, '@kerf'), { recursive: true });
  for (const entry of readdirSync(nodeModules)) {
    if (entry !== '.kerf-installed' && entry !== '@kerf') symlinkSync(join(nodeModules, entry), join(folder, entry));
  }
  symlinkSync(join(repository, 'kernel'), join(folder, '@kerf', 'kernel'));
  const locked = createHash('sha256')
    .update(readFileSync(join(repository, 'package-lock.json')))
    .digest('hex');
  writeFileSync(join(folder, '.kerf-installed'), locked);
}

describe('a module that leaves for good', () => {
  let scratch: string;
  let monolith: string;
  let repository: string;
  const system = new System();
  let service: Kerf;
  const run = (folder: string, ...words: string[]) =>
    spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH } });
  const eject = (...words: string[]) => run(monolith, 'scripts/eject.mjs', ...words);

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'kerf-eject-'));
    monolith = join(scratch, 'kerf');
    repository = join(scratch, 'payments-service');
    for (const part of parts) cpSync(part, join(monolith, part), { recursive: true });
    symlinkSync(nodeModules, join(monolith, 'node_modules'));
  });
  afterAll(async () => {
    await system.kerf?.stop();
    await service?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('is refused when it is unknown, or its folder is not empty or within', () => {
    const words = (...given: string[]) => eject(...given).stderr;
    expect(words('nope', '--to', '../new')).toContain('there is no module "nope"; there are members,');
    expect(words('payments')).toContain('say where to');
    expect(words('payments', '--to', '.')).toContain('is not empty');
    expect(words('payments', '--to', 'within')).toContain('is within this repository');
  });

  it('says what it would do, and does nothing', () => {
    const before = printOf(monolith);
    const { status, stdout } = eject('payments', '--to', '../payments-service', '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toContain('write   ../payments-service/src/modules/payments/internal/authorize.ts\n');
    expect(stdout).toContain('remove  src/modules/payments/internal/\n');
    expect([printOf(monolith), existsSync(repository)]).toEqual([before, false]);
  });

  it('has a repository whose tests pass', () => {
    expect(eject('payments', '--to', '../payments-service', '--address', 'http://127.0.0.1:4105')).toMatchObject({
      status: 0,
    });
    expect(readdirSync(join(repository, 'src', 'modules', 'payments'))).toContain('internal');
    expect(readdirSync(join(repository, 'src', 'modules', 'orders'))).toEqual(['module.json']);
    expect(readFileSync(join(repository, 'README.md'), 'utf8')).toMatch(/^ {4}npm start/);
    linkPackages(repository);
    const { status, stdout } = run(repository, 'scripts/test.mjs');
    expect([status, stdout]).toEqual([0, expect.stringContaining('2 passed')]);
  });

  it('is known to what is left, which says where it went', () => {
    expect(readdirSync(join(monolith, 'src', 'modules', 'payments')).sort()).toEqual([
      'contract.ts',
      'module.json',
      'module.ts',
      'routes.ts',
    ]);
    expect(readFileSync(join(monolith, 'topology.yaml'), 'utf8')).toContain('payments: http://127.0.0.1:4105\n');
    expect(eject('payments', '--to', '../again').stderr).toContain('it has left already');
  });

  describe('both together', () => {
    beforeAll(async () => {
      expect(run(monolith, '-e', "import('./scripts/setup.mjs').then(({ build }) => build())")).toMatchObject({
        status: 0,
      });
      const dataDir = newDataDir();
      const [home, port] = [await freePort(), await freePort()];
      const env = { MODULE_PAYMENTS: `http://127.0.0.1:${port}`, HOME_ADDRESS: `http://127.0.0.1:${home}` };
      service = await Kerf.start({
        program: join(repository, 'dist', 'app.js'),
        dataDir,
        env: { ...env, INTERNAL_PORT: String(port) },
      });
      const kerf = await Kerf.start({
        program: join(monolith, 'dist', 'app.js'),
        dataDir,
        env: { ...env, INTERNAL_PORT: String(home) },
      });
      await system.use(kerf);
    });

    describe.concurrent('checkout', () => checkoutCases(system));
    describe.concurrent('cancellation', () => cancelCases(system));
    describe.concurrent('summary', () => summaryCases(system));
    describe.concurrent('board', () => boardCases(system));
  });
});
