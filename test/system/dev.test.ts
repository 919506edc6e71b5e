import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { createServer } from 'node:net';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnvFile } from '../../scripts/setup.mjs';
import { eventually, freePort } from '../harness/kerf.ts';

const copy = mkdtempSync(join(tmpdir(), 'kerf-dev-'));
const [port, internalPort] = [await freePort(), await freePort()];
const env = {
  ...{ PATH: process.env.PATH, TOPOLOGY: devNull, DATA_DIR: join(copy, 'data'), MODULE_PAYMENTS: 'http' },
  ...{ PORT: String(port), INTERNAL_PORT: String(internalPort), RATE_LIMIT_PER_MINUTE: '0' },
};
const running: ChildProcess[] = [];

beforeAll(() => {
  const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  for (const file of listed.stdout.split('\0').filter(Boolean)) cpSync(file, join(copy, file));
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'), 'junction');
});
afterAll(async () => {
  for (const child of running) child.kill('SIGTERM');
  await Promise.all(running.map((child) => child.exitCode ?? new Promise((resolve) => child.once('exit', resolve))));
  rmSync(copy, { recursive: true });
});

const path = (file: string) => join(copy, 'src', file);
/** Replaces a text of a file. Returns a function that takes the change back. */
function edit(file: string, before: string, after: string) {
  const text = readFileSync(path(file), 'utf8');
  expect(text).toContain(before);
  writeFileSync(path(file), text.replace(before, after));
  return () => writeFileSync(path(file), text);
}

function dev(settings: Record<string, string> = {}, ...options: string[]) {
  const words = [join(copy, 'scripts', 'kerf.mjs'), 'dev', ...options];
  const child = spawn(process.execPath, words, { cwd: copy, env: { ...env, ...settings }, stdio: 'pipe' });
  running.push(child);
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output.text += chunk));
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  /** Resolves with the output since the last time, once it has this text. */
  let read = 0;
  const says = (text: string) =>
    eventually(
      async () => {
        const at = output.text.indexOf(text, read);
        if (at === -1) return undefined;
        const said = output.text.slice(read, output.text.indexOf('\n', at));
        read = at + text.length;
        return said;
      },
      `${JSON.stringify(text)} in ${output.text.slice(read)}`,
      150_000,
    );
  return { output, exit, says };
}

const api = async () => (await fetch(`http://127.0.0.1:${port}/openapi.json`)).text();
const post = (resource: string, body: object) =>
  fetch(`http://127.0.0.1:${port}${resource}`, {
    ...{ method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
  });

/** Checks that the inspector at this address belongs to the application. */
async function debugged(address: string) {
  const [, inspector] = /ws:\/\/(127\.0\.0\.1:\d+)/.exec(address) ?? [];
  const answer = await fetch(`http://${inspector}/json/list`);
  expect(await answer.json()).toMatchObject([{ url: expect.stringMatching(/\/dist\/(dev\/)?app\.js$/) }]);
  return inspector;
}

describe('npm run dev', () => {
  const ann = { email: 'ann@example.com', password: 'correct horse' };
  let system: ReturnType<typeof dev>;

  it('starts the system', async () => {
    system = dev({}, '--inspect=0');
    await debugged(await system.says('Debugger listening on ws://127.0.0.1:'));
    expect(await system.says('watching src/')).toContain(`Kerf is ready: http://127.0.0.1:${port}`);
    expect((await post('/members', { ...ann, name: 'Ann' })).status).toBe(201);
  });

  it('runs once in a folder', async () => {
    const second = dev({ PORT: '0', INTERNAL_PORT: '0' });
    expect(await second.exit).toBe(1);
    expect(second.output.text).toBe('kerf: npm run dev runs in this folder already; stop that one first\n');
  });

  it('serves a change, and keeps the data', async () => {
    edit('modules/board/routes.ts', 'Posts, the latest first', 'Posts, the newest first');
    await system.says('restarted with src/modules/board/routes.ts, in ');
    expect(await api()).toContain('Posts, the newest first');
    expect((await post('/sessions', ann)).status).toBe(201);
  });

  it('shows a type error with file and line, and serves the previous code', async () => {
    const undo = edit('modules/board/routes.ts', "'Posts, the newest first'", '1');
    const said = await system.says('the previous code goes on serving');
    expect(said).toMatch(/^src\/modules\/board\/routes\.ts\(\d+,\d+\): error TS2345: /m);
    expect(await api()).toContain('Posts, the newest first');
    undo();
    await system.says('restarted with');
  });

  it('shows an error in a schema with file and line, and serves the previous code', async () => {
    const before = 'output: thread }),';
    const undo = edit('modules/board/contract.ts', before, `output: z.custom<z.output<typeof thread>>() }),`);
    const said = await system.says('the previous code goes on serving');
    expect(said).toContain('board.read output');
    expect(said).toMatch(/src\/modules\/board\/contract\.ts:\d+/);
    expect(await api()).toContain('Posts, the newest first');
    undo();
    await system.says('restarted with');
  });

  it('shows a syntax error with file and line, and serves the previous code', async () => {
    const undo = edit(
      'modules/board/contract.ts',
      'export const board = contract(',
      'export const board = = contract(',
    );
    expect(await system.says('the previous code goes on serving')).toMatch(/src\/modules\/board\/contract\.ts:\d+:\d+/);
    undo();
    await system.says('restarted with');
    expect(await api()).toContain('Posts, the newest first');
  });

  it('restarts a module alone that is out when nothing else has changed', async () => {
    edit('modules/payments/internal/settle.ts', 'function settle(', '// Changed.\nfunction settle(');
    await system.says('payments restarted alone with src/modules/payments/internal/settle.ts, in ');
    expect((await post('/sessions', ann)).status).toBe(201);
  });
});

it('a port that is taken gives one line', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  for (const child of running.splice(0)) {
    const gone = new Promise((resolve) => child.once('close', resolve));
    if (child.kill('SIGTERM')) await gone;
  }
  const { port: taken } = server.address() as { port: number };
  const { exit, output } = dev({ PORT: String(taken) });
  expect([await exit, output.text]).toEqual([
    1,
    expect.stringMatching(new RegExp(`^kerf: [^\\n]*${taken}[^\\n]*\\n$`)),
  ]);
  server.close();
});

it('a broken tsconfig.json gives one line', async () => {
  writeFileSync(join(copy, 'tsconfig.json'), '{ "compilerOptions": { "strict": maybe } }');
  const { exit, output } = dev();
  expect([await exit, output.text]).toEqual([
    1,
    expect.stringMatching(/^kerf: tsconfig\.json\(1,\d+\): error TS[^\n]*\n$/),
  ]);
});

it('npm start -- --inspect reaches the application, and each process of a module at a port of its own', async () => {
  const program = [join(process.cwd(), 'scripts', 'kerf.mjs'), 'start', '--inspect=127.0.0.1:0'];
  const settings = { ...env, PORT: '0', INTERNAL_PORT: '0', DATA_DIR: join(copy, 'inspected') };
  const child = spawn(process.execPath, program, { env: settings, stdio: ['ignore', 'ignore', 'pipe'] });
  running.push(child);
  let said = '';
  child.stderr.on('data', (chunk) => (said += chunk));
  const addresses = await eventually(async () => {
    const found = said.match(/Debugger listening on ws:\S+/g) ?? [];
    return found.length === 2 && found;
  }, 'two inspectors');
  const inspectors = await Promise.all(addresses.map(debugged));
  expect(new Set(inspectors).size).toBe(2);
});

it('the source map of the bundle leads to the TypeScript file', () => {
  const lines = readFileSync('dist/app.js', 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes('Posts, the latest first'));
  const map = new SourceMap(JSON.parse(readFileSync('dist/app.js.map', 'utf8')));
  const found = map.findEntry(at, lines[at]!.indexOf('Posts')) as { originalSource: string; originalLine: number };
  expect(found.originalSource).toMatch(/src\/modules\/board\/(contract|routes)\.ts$/);
  const original = readFileSync(join('dist', found.originalSource), 'utf8').split('\n');
  expect(original[found.originalLine]).toContain('Posts, the latest first');
});

it('.env adds settings, overrides none, and its secrets are not printed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-env-'));
  const secret = 'a-secret-of-the-payment-provider';
  writeFileSync(join(folder, '.env'), `PAYMENTS_PROVIDER_KEY=${secret}\nOPERATOR_TOKEN=${secret}\nPORT=1\n`);
  const program = `
    const { readEnvFile } = await import(${JSON.stringify(join(process.cwd(), 'scripts/setup.mjs'))});
    readEnvFile(${JSON.stringify(folder)});
    process.argv.push('dist/app.js', '--json');
    setTimeout(() => process.kill(process.pid, 'SIGINT'), 0);
    await import(${JSON.stringify(join(process.cwd(), 'dist/app.js'))});`;
  const settings = { ...env, PORT: '0', INTERNAL_PORT: '0', DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'debug' };
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    ...{ env: settings, encoding: 'utf8' },
  });
  expect([status, JSON.parse(stdout).public]).toEqual([0, expect.not.stringMatching(/:1$/)]);
  expect(stdout + stderr).not.toContain(secret);
  rmSync(folder, { recursive: true });
  expect(readEnvFile(folder)).toBeUndefined();
});
