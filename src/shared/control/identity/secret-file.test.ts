import {
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
import { beforeEach, expect, it } from 'vitest';
import { keepSecret, readSecret, replaceSecret } from './secret-file.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'kerf-secret-')), 'keys');
  file = join(folder, 'secret');
});

/** Returns the content of the file, and checks that the folder holds nothing else. */
function kept(): string {
  expect([readdirSync(folder), statSync(file).mode & 0o777]).toEqual([['secret'], 0o600]);
  return readFileSync(file, 'utf8');
}

it('is created once and atomically', () => {
  keepSecret(file, () => 'first');
  keepSecret(file, () => 'second');
  expect(kept()).toBe('first');
});

it('keeps the content of the faster process', () => {
  keepSecret(file, () => {
    keepSecret(file, () => 'theirs');
    return 'mine';
  });
  expect(kept()).toBe('theirs');
});

it('is replaced atomically', () => {
  keepSecret(file, () => 'first');
  replaceSecret(file, 'second');
  expect(kept()).toBe('second');
});

it('leaves no file when its creation fails', () => {
  const fail = () => {
    throw new Error('no more numbers');
  };
  expect(() => keepSecret(file, fail)).toThrow('no more numbers');
  expect(readdirSync(folder)).toEqual([]);
});

it('is refused when its path is not a file', () => {
  mkdirSync(file, { recursive: true });
  expect(() => keepSecret(file, () => 'mine')).toThrow(`${file} is not a file; remove it to have one made`);
  rmSync(file, { recursive: true });
  symlinkSync('nowhere', file);
  expect(() => keepSecret(file, () => 'mine')).toThrow(`${file} is not a file; remove it to have one made`);
});

it('is named when the operating system refuses access', () => {
  writeFileSync(folder, 'a file where the folder should be');
  expect(() => keepSecret(file, () => 'mine')).toThrow(
    `${file} cannot be made (EEXIST); let the user who runs this own it and its folder`,
  );
  expect(() => readSecret(join(folder, 'none'))).toThrow(/none cannot be read \(ENOTDIR\); let/);
});
