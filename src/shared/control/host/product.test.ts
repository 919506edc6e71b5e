import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { deep } from '../../../../test/harness/deep.ts';

/** Runs the program of one module with an option that needs all modules. */
function expectRefusal(option: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-product-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'shop.ts');
  const host = pathToFileURL(join(process.cwd(), 'src/shared/control/host/index.ts')).href;
  writeFileSync(
    program,
    `import { runAlone } from '${host}';\nawait runAlone({ contract: { name: 'shop' } }, [], []);\n`,
  );
  const words = ['--no-warnings', program, option];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', cwd: folder });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/^kerf: --rotate-keys.* need the program with all modules\n$/),
  ]);
}

it('the program of one module refuses --rotate-keys, which needs all modules', () => expectRefusal('--rotate-keys'));

it.each(['--revoke', '--identity=shop', '--proto=shop'])(
  'the program of one module refuses %s, which needs all modules',
  deep,
  expectRefusal,
);
