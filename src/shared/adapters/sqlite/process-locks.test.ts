import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { fileLocks } from './process-locks.ts';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'kerf-locks-')), 'locks');
});

describe('a lock', () => {
  it('is held until its release, also as seen in the same process', () => {
    const [one, other] = [fileLocks(folder), fileLocks(folder)];
    one.hold('a');
    expect([one.isHeld('a'), other.isHeld('a')]).toEqual([true, true]);
    expect(() => other.hold('a')).toThrow('locked');
    one.release('a');
    expect([one.isHeld('a'), other.isHeld('a'), readdirSync(folder)]).toEqual([undefined, undefined, []]);
  });

  it('that does not exist is neither held nor free', () => {
    expect(fileLocks(folder).isHeld('a')).toBeUndefined();
  });

  it('of an ended process is removed with its file', () => {
    const locks = fileLocks(folder);
    locks.hold('mine');
    writeFileSync(join(folder, 'left'), '');
    expect(locks.isHeld('left')).toBe(false);
    locks.forget(['left', 'mine']);
    expect([locks.isHeld('left'), locks.isHeld('mine'), readdirSync(folder)]).toEqual([undefined, true, ['mine']]);
    locks.release('mine');
  });
});
