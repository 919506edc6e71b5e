import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { refuseForeignArtifact } from './artifacts.ts';

let root: string;
const at = (...names: string[]) => join(root, ...names);
const release = (...names: string[]) => {
  mkdirSync(at(...names), { recursive: true });
  writeFileSync(at(...names, 'app.js'), '');
  return at(...names, 'app.js');
};
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kerf-artifacts-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const codeFor = (artifact: string, folders?: string) => {
  try {
    refuseForeignArtifact(artifact, folders, at('dist', 'app.js'));
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

it('accepts a release from the folder of the program and its subfolders', () => {
  expect([codeFor(release('dist')), codeFor(release('dist', 'modules', 'payments'))]).toEqual([undefined, undefined]);
});

it('refuses a release from another folder, whatever its path looks like', () => {
  release('dist');
  const outside = release('upload');
  const similar = release('dist-new');
  expect([codeFor(outside), codeFor(similar), codeFor(at('dist', '..', 'upload', 'app.js'))]).toEqual(
    Array(3).fill('forbidden'),
  );
});

it('follows symbolic links before it decides', () => {
  release('dist');
  const outside = release('upload');
  symlinkSync(outside, at('dist', 'link.js'));
  symlinkSync(at('upload'), at('dist', 'folder'));
  expect([codeFor(at('dist', 'link.js')), codeFor(at('dist', 'folder', 'app.js'))]).toEqual(['forbidden', 'forbidden']);
  symlinkSync(at('dist'), at('current'));
  expect(codeFor(at('current', 'app.js'))).toBeUndefined();
});

it('accepts releases from the folders in the setting instead, also through links', () => {
  const [own, other] = [release('dist'), release('releases', '7')];
  symlinkSync(at('releases'), at('live'));
  expect([codeFor(other, at('releases')), codeFor(other, `${at('nowhere')}, ${at('live')}`)]).toEqual([
    undefined,
    undefined,
  ]);
  expect([codeFor(own, at('releases')), codeFor(other, '')]).toEqual(['forbidden', 'forbidden']);
});

it('refuses a path with a NUL character', () => {
  expect(codeFor('dist/\0app.js')).toBe('conflict');
  expect(() => refuseForeignArtifact('dist/\0app.js', undefined)).toThrow('"dist/\\u0000app.js" is no path');
});

it('names the allowed folders, and what to do', () => {
  const outside = release('upload');
  expect(() => refuseForeignArtifact(outside, 'dist,releases')).toThrow(
    `artifact ${outside} is not in a folder that releases are taken from (dist, releases); put it there, or add its folder to ARTIFACTS`,
  );
  expect(codeFor(at('dist'))).toBe('conflict');
});
