import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StartError } from '../../kernel/errors/index.ts';
import { refuseUnusableFolder } from './data-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'kerf-folder-'));
const at = (...names: string[]) => join(folder, ...names);

beforeAll(() => {
  mkdirSync(at('there'));
  writeFileSync(at('file'), '');
  symlinkSync(at('there'), at('link'));
  symlinkSync(at('gone'), at('dangling'));
  symlinkSync(at('loop'), at('loop'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a folder of data', () => {
  it.each(['there', 'link', 'new', 'new/below', 'there/new', 'link/new'])('may be %s, and is left as it is', (name) => {
    const before = readdirSync(folder, { recursive: true });
    refuseUnusableFolder(at(name), 'DATA_DIR');
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });

  it.each([
    ['file', 'file is not a folder'],
    ['file/below', 'file is not a folder'],
    ['dangling', 'dangling is a link to nowhere'],
    ['dangling/below', 'dangling is a link to nowhere'],
    ['loop', 'loop is a link to nowhere'],
  ])('cannot be %s', (name, why) => {
    expect(() => refuseUnusableFolder(at(name), 'DATA_DIR')).toThrow(StartError);
    expect(() => refuseUnusableFolder(at(name), 'DATA_DIR')).toThrow(
      `setting DATA_DIR: ${folder}/${why}; set it to a folder that this process may write to`,
    );
  });

  // Only Linux has `/proc/self`.
  it.skipIf(!existsSync('/proc/self'))('cannot be where the system takes none, though it may be written to', () => {
    for (const path of ['/proc/x', '/proc/x/y', '/proc']) {
      expect(() => refuseUnusableFolder(path, 'DATA_DIR')).toThrow(/^setting DATA_DIR: \/proc (takes no|may not)/);
    }
  });
});
