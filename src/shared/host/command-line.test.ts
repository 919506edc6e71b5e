import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { Topology } from '../topology/index.ts';
import { rotateKeys } from './command-line.ts';

afterEach(() => vi.restoreAllMocks());

it('makes new keys for sessions and services, or none when one of them cannot be read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-rotate-'));
  const topology = { settings: { DATA_DIR: folder } } as Topology;
  const [sessions, internal] = ['sessions', 'internal'].map((use) => join(folder, 'keys', `${use}.json`));
  const said = vi.spyOn(console, 'log').mockImplementation(() => {});
  await rotateKeys(topology);
  expect(said.mock.calls).toEqual([
    [expect.stringMatching(`${sessions}: signing with \\w+ from now on`)],
    [expect.stringMatching(`${internal}: signing with \\w+ from now on`)],
  ]);
  const before = readFileSync(sessions!, 'utf8');
  writeFileSync(internal!, 'damaged');
  await expect(rotateKeys(topology)).rejects.toThrow(`${internal} does not hold keys`);
  expect(readFileSync(sessions!, 'utf8')).toBe(before);
});

it('keeps no key of before when it revokes them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-rotate-'));
  const topology = { settings: { DATA_DIR: folder } } as Topology;
  const said = vi.spyOn(console, 'log').mockImplementation(() => {});
  await rotateKeys(topology);
  await rotateKeys(topology, true);
  for (const use of ['sessions', 'internal']) {
    expect(JSON.parse(readFileSync(join(folder, 'keys', `${use}.json`), 'utf8')).keys).toHaveLength(1);
  }
  expect(said.mock.lastCall![0]).toMatch(/signing with \w+ from now on; what was signed before is refused$/);
});
