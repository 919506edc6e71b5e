import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { contract } from '../../kernel/contract/index.ts';
import { type ModuleDefinition, remoteModule } from '../../kernel/module/index.ts';
import type { Topology } from '../topology/index.ts';
import { printModules, rotateKeys } from './command-line.ts';

afterEach(() => vi.restoreAllMocks());

it('creates new keys for sessions and services, or none when one file is damaged', async () => {
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

it('keeps no earlier key when it revokes them', async () => {
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

it('lists the migrations of local modules, and none of remote modules', async () => {
  const about = { owner: 'shop', about: 'A shop.', uses: [], listensTo: [] };
  const migrations = [{ name: '0001-goods', phase: 'expand', sqlite: 'CREATE TABLE goods (id)' }];
  const here = { about: { ...about, name: 'shop' }, contract: contract('shop', { operations: {} }), migrations };
  const known = remoteModule({ about: { ...about, name: 'away' }, subscribesTo: [], settings: [] });
  const said = vi.spyOn(console, 'log').mockImplementation(() => {});
  await printModules([here as unknown as ModuleDefinition, known]);
  const [shop, away] = JSON.parse(said.mock.lastCall![0]) as { migrations?: object[] }[];
  expect(shop!.migrations!.at(-1)).toEqual({ name: '0001-goods', phase: 'expand' });
  expect(away).not.toHaveProperty('migrations');
});
