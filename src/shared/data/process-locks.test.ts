import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { fileLocks } from './process-locks.ts';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'kerf-locks-')), 'locks');
});

describe('a lock', () => {
  it('is held until it is released, and seen by others in this process', () => {
    const [one, other] = [fileLocks(folder), fileLocks(folder)];
    one.hold('a');
    expect([one.isHeld('a'), other.isHeld('a')]).toEqual([true, true]);
    expect(() => other.hold('a')).toThrow('locked');
    one.release('a');
    expect([one.isHeld('a'), other.isHeld('a'), readdirSync(folder)]).toEqual([undefined, undefined, []]);
  });

  it('that was never made is neither held nor free', () => {
    expect(fileLocks(folder).isHeld('a')).toBeUndefined();
  });

  it('is free at once when the process that held it was killed, and is forgotten then', async () => {
    const holder = await holding('a');
    const locks = fileLocks(folder);
    expect(locks.isHeld('a')).toBe(true);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(locks.isHeld('a')).toBe(false);
    locks.forget(['a']);
    expect([locks.isHeld('a'), readdirSync(folder)]).toEqual([undefined, []]);
  });
});

/** A process that holds the lock. */
async function holding(name: string) {
  const program = `
    import { fileLocks } from './src/shared/data/process-locks.ts';
    fileLocks(${JSON.stringify(folder)}).hold(${JSON.stringify(name)});
    setInterval(() => {}, 1_000);
    console.log('holding');
  `;
  const words = ['--experimental-transform-types', '--no-warnings', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}
