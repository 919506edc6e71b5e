import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandHost } from '../harness/commands.ts';
import { deep } from '../harness/deep.ts';
import { freePort, Kerf, newDataDir } from '../harness/kerf.ts';
import { typeErrors } from '../harness/types.ts';
import { boardCases } from './cases/board.cases.ts';
import { cancelCases } from './cases/cancel.cases.ts';
import { checkoutCases } from './cases/checkout.cases.ts';
import { memberCases } from './cases/members.cases.ts';
import { messageCases } from './cases/messages.cases.ts';
import { productCases } from './cases/products.cases.ts';
import { referenceCases } from './cases/reference.cases.ts';
import { summaryCases } from './cases/summary.cases.ts';
import { System } from './cases/system.ts';

const parts = [
  'src',
  'test',
  'scripts',
  'deploy',
  'docs',
  'README.md',
  'package.json',
  'package-lock.json',
  'rolldown.config.mjs',
  'tsconfig.json',
  'vitest.config.ts',
];
const hidden = ['topology.yaml', 'biome.json', '.npmrc', '.gitignore', '.dependency-cruiser.js'];
const nodeModules = join(process.cwd(), 'node_modules');
const scratch = mkdtempSync(join(tmpdir(), 'kerf-eject-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Copies this repository, with a link to its installed packages. */
function newMonolith(name: string): string {
  const folder = join(scratch, name);
  for (const part of [...parts, ...hidden]) cpSync(part, join(folder, part), { recursive: true });
  symlinkSync(nodeModules, join(folder, 'node_modules'));
  return folder;
}

function run(folder: string, ...words: string[]) {
  return spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH } });
}

/** Runs a command of this repository. */
const npmRun = (folder: string, ...words: string[]) => run(folder, 'scripts/kerf.mjs', ...words);

function git(folder: string, ...words: string[]) {
  const own = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'init.defaultBranch=main'];
  const { status, stderr } = spawnSync('git', [...own, ...words], { cwd: folder, encoding: 'utf8' });
  expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => !/^(node_modules|dist|\.git)(\/|$)/.test(file) && statSync(join(folder, file)).isFile())
    .sort();
}

/** Returns a hash of all files: their paths and contents. */
function printOf(folder: string): string {
  const hash = createHash('sha256');
  for (const file of filesOf(folder)) hash.update(file).update(readFileSync(join(folder, file)));
  return hash.digest('hex');
}

/** Replaces `npm install` without a network: links to the packages installed here, and to `kerf/`. */
function linkPackages(repository: string): void {
  const folder = join(repository, 'node_modules');
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(nodeModules)) {
    if (entry !== '.kerf-installed') symlinkSync(join(nodeModules, entry), join(folder, entry));
  }
  symlinkSync(join(repository, 'kerf'), join(folder, 'kerf'));
  const locked = createHash('sha256')
    .update(readFileSync(join(repository, 'package-lock.json')))
    .digest('hex');
  writeFileSync(join(folder, '.kerf-installed'), locked);
}

const build = ['-e', "import('./scripts/setup.mjs').then(({ build }) => build())"];
const tsc = (config: string) => ['node_modules/typescript/bin/tsc', '-p', config, '--noEmit'];

describe('an ejected module', () => {
  const repository = join(scratch, 'payments-service');
  let monolith: string;
  const system = new System();
  let service: Kerf;
  const eject = (...words: string[]) => npmRun(monolith, 'eject', ...words);
  /** Runs the commands that are refused, or change nothing. */
  let host: CommandHost;
  let announced: string[];

  beforeAll(() => {
    monolith = newMonolith('kerf');
    host = new CommandHost(monolith);
  });
  afterAll(async () => {
    await system.kerf?.stop();
    await service?.stop();
  });

  it('is refused when the module is unknown, or the target folder or the address is invalid', async () => {
    const before = printOf(monolith);
    const words = async (...given: string[]) => (await host.run('eject', given)).stderr;
    expect(await words('nope', '--to', '../new')).toContain('there is no module "nope"; there are members,');
    expect(await words('--to', '../new')).toContain('missing <module>: the module, such as payments');
    expect(await words('payments')).toContain("'--to <folder>' not specified; see npx kerf eject --help");
    expect(await words('payments', '--to', '..')).toContain('is not empty');
    expect(await words('payments', '--to', '.')).toContain('is within this repository');
    expect(await words('payments', '--to', 'package.json')).toContain('is a file');
    expect(await words('payments', '--to', 'within')).toContain('is within this repository');
    expect(await words('payments', '--to', '../new', '--address', 'http://payments')).toContain(
      '--address http://payments is not the address',
    );
    expect([printOf(monolith), existsSync(join(scratch, 'new'))]).toEqual([before, false]);
  });

  it.each(['nonsense', 'http://payments:4105/here', 'in-process'])('is refused for the address %s', deep, (address) => {
    const { stderr } = eject('payments', '--to', '../new', '--address', address);
    expect(stderr).toContain(`--address ${address} is not the address`);
    expect(existsSync(join(scratch, 'new'))).toBe(false);
  });

  it('is refused while the repository has uncommitted changes', async () => {
    git(monolith, 'init', '--quiet');
    const before = printOf(monolith);
    expect(await host.run('eject', ['payments', '--to', '../payments-service'])).toMatchObject({
      code: 1,
      stderr: 'kerf: this repository has uncommitted changes; commit them first, or add --force\n',
    });
    expect([printOf(monolith), existsSync(repository)]).toEqual([before, false]);
    git(monolith, 'add', '--all');
    git(monolith, 'commit', '--quiet', '--message', 'All');
  });

  it('lists all changes of a dry run and makes none', async () => {
    const before = printOf(monolith);
    const inside = filesOf(join(monolith, 'src/modules/payments/internal')).map((file) => `internal/${file}`);
    const { code, stdout } = await host.run('eject', ['payments', '--to', '../payments-service', '--dry-run']);
    expect(code).toBe(0);
    expect([printOf(monolith), existsSync(repository)]).toEqual([before, false]);
    const said = (what: string) =>
      stdout.split('\n').flatMap((line) => (line.startsWith(what) ? [line.slice(what.length).trim()] : []));
    expect(said('remove').sort()).toEqual(
      [...inside, 'payments.test.ts'].map((file) => `src/modules/payments/${file}`),
    );
    expect(said('change')).toEqual([
      'topology.yaml: payments: http://127.0.0.1:4105',
      'src/modules/payments/module.ts',
    ]);
    announced = said('write');
    expect(announced).toContain('../payments-service/src/modules/payments/internal/authorize.ts');
  });

  it('has a repository whose tests and type check pass', () => {
    expect(eject('payments', '--to', '../payments-service')).toMatchObject({ status: 0, stderr: '' });
    expect(filesOf(repository).map((file) => join('../payments-service', file))).toEqual(announced.sort());
    expect(readdirSync(join(repository, 'src', 'modules', 'orders'))).toEqual(['module.json']);
    expect(readFileSync(join(repository, 'README.md'), 'utf8')).toMatch(/^ {4}npm start .*\n {4}npm test /);
    linkPackages(repository);
    const { status, stdout } = run(repository, 'scripts/test.mjs');
    expect([status, stdout]).toEqual([0, expect.stringContaining('8 passed')]);
    expect(typeErrors(repository, (path) => !/^(?:kerf|node_modules)\//.test(path))).toEqual([]);
  });

  it('has a repository that passes the type check with all of kerf/', deep, () => {
    expect(run(repository, ...tsc('.')).stdout).toBe('');
  });

  it('is rebuilt there when kerf/ changes, and rejects a breaking change of its contract', () => {
    const built = () => readFileSync(join(repository, 'dist', 'app.js'), 'utf8');
    const before = built();
    const changes = [
      ['kerf/control/host/announce.ts', 'Kerf is ready', 'Kerf is changed'],
      ['src/modules/payments/contract.ts', 'token: text(200, 1)', 'token: text(200, 1), cvc: text(4, 3)'],
    ] as const;
    const undo = changes.map(([file, from, to]) => {
      const text = readFileSync(join(repository, file), 'utf8');
      writeFileSync(join(repository, file), text.replace(from, to));
      return () => writeFileSync(join(repository, file), text);
    });
    const { status, stderr } = run(repository, 'scripts/test.mjs', '-t', 'keeps the contract');
    expect([status, stderr]).toEqual([1, expect.stringContaining('cvc')]);
    expect([before, built()].map((each) => each.includes('Kerf is changed'))).toEqual([false, true]);
    for (const back of undo) back();
    expect(run(repository, ...build).status).toBe(0);
    expect(built()).toBe(before);
  });

  it('leaves its contract in the monolith, whose boundary and type checks pass', async () => {
    expect(readdirSync(join(monolith, 'src', 'modules', 'payments')).sort()).toEqual([
      'contract.ts',
      'module.json',
      'module.ts',
      'routes.ts',
    ]);
    expect(readFileSync(join(monolith, 'topology.yaml'), 'utf8')).toContain('  payments: http://127.0.0.1:4105\n');
    const left = join('src', 'modules', 'payments', 'module.ts');
    expect(readFileSync(join(monolith, left), 'utf8')).toContain('a repository of its own, payments-service;');
    expect(run(monolith, 'node_modules/@biomejs/biome/bin/biome', 'check', left)).toMatchObject({ status: 0 });
    expect(npmRun(monolith, 'boundaries').stdout).toContain('every border holds');
    // No other file imports what has changed.
    expect(typeErrors(monolith, (path) => /^src\/(?:app\.ts$|modules\/payments\/)/.test(path))).toEqual([]);
    const again = await host.run('eject', ['payments', '--to', '../again']);
    expect(again.stderr).toContain('payments was ejected before');
    expect(npmRun(monolith, 'build-module', 'payments').stderr).toContain('payments has left for a repository');
  });

  it('leaves a monolith whose tests and commands pass the type check', deep, () => {
    expect(run(monolith, ...tsc('.')).stdout).toBe('');
  });

  it('leaves a monolith whose tests pass', () => {
    const { status, stdout } = npmRun(monolith, 'test', 'test/modules/drift', 'test/modules/least');
    expect([status, stdout]).toEqual([0, expect.stringContaining('2 passed')]);
  });

  describe('the monolith with the ejected module', () => {
    beforeAll(async () => {
      expect(run(repository, ...build)).toMatchObject({ status: 0 });
      expect(run(monolith, ...build)).toMatchObject({ status: 0 });
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

    describe.concurrent('members', deep, () => memberCases(system));
    describe.concurrent('products', deep, () => productCases(system));
    describe.concurrent('checkout', deep, () => checkoutCases(system));
    describe.concurrent('cancellation', () => cancelCases(system));
    describe.concurrent('summary', deep, () => summaryCases(system));
    describe.concurrent('messages', deep, () => messageCases(system));
    describe.concurrent('board', deep, () => boardCases(system));
    describe.concurrent('reference', deep, () => referenceCases(system));
  });
});

/** Orders has its own tests and uses other modules. Notifications subscribes to modules whose contracts import further contracts. */
describe.each(['orders', 'notifications'])('%s, ejected', deep, (name) => {
  it('takes its own tests and all contracts it needs, with --force also from uncommitted changes', () => {
    const monolith = newMonolith(`kerf-without-${name}`);
    const repository = join(scratch, `${name}-service`);
    git(monolith, 'init', '--quiet');
    appendFileSync(join(monolith, 'topology.yaml'), '\n# Mine.\n');
    const words = [name, '--to', repository, '--address', 'grpc://127.0.0.1:4222', '--force'];
    expect(npmRun(monolith, 'eject', ...words)).toMatchObject({ status: 0, stderr: '' });
    for (const topology of [join(monolith, 'topology.yaml'), join(repository, 'topology.yaml')])
      expect(readFileSync(topology, 'utf8')).toContain(`  ${name}: grpc://127.0.0.1:4222\n`);
    expect(readFileSync(join(monolith, 'topology.yaml'), 'utf8')).toContain('# Mine.\n');
    linkPackages(repository);
    const own = filesOf(`src/modules/${name}`).filter((file) => file.endsWith('.test.ts'));
    const { status, stdout } = run(repository, 'scripts/test.mjs', '--reporter=json');
    expect(status).toBe(0);
    const { testResults } = JSON.parse(stdout) as { testResults: { name: string; status: string }[] };
    const passed = testResults.filter((each) => each.status === 'passed').map((each) => each.name);
    const expected = [...own.map((file) => `src/modules/${name}/${file}`), 'test/contract.test.ts'];
    expect(passed.sort()).toEqual(expected.map((file) => join(repository, file)).sort());
    expect(npmRun(monolith, 'boundaries').stdout).toContain('every border holds');
    expect(run(monolith, ...build)).toMatchObject({ status: 0 });
  });
});
