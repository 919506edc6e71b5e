import { mkdirSync, mkdtempSync, readdirSync, rmSync, type StatsFs, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { always, makeChecks } from '../../scripts/doctor/check.ts';
import { dataFolder, disk, fileSystem } from '../../scripts/doctor/folder.ts';
import { clock, memory, nodeVersion, openFiles, platformPackages } from '../../scripts/doctor/machine.ts';
import { bytes, dayMs, span } from '../../scripts/doctor/units.ts';

const levels = (findings: readonly { level: string }[]) => findings.map(({ level }) => level);
const nothing = { settings: undefined, system: undefined };

describe('the runner of checks', () => {
  it('reports a check that fails or does not end as an error of that check, and goes on', async () => {
    const checks = [
      always('broken', () => {
        throw new Error('no such thing');
      }),
      always('endless', () => new Promise(() => {})),
      always('well', () => [{ level: 'ok', what: 'it is there' }]),
    ];
    expect(await makeChecks(checks, nothing, 10)).toEqual([
      expect.objectContaining({ check: 'broken', level: 'error', what: 'this check failed: no such thing' }),
      expect.objectContaining({
        check: 'endless',
        level: 'error',
        what: 'this check failed: it did not end within 0.01 s',
      }),
      { check: 'well', level: 'ok', what: 'it is there' },
    ]);
  });
});

describe('checks of the machine', () => {
  it('node: refuses a version that is too old, and says when it is not the one of the lock file', () => {
    const program = { execPath: '/usr/bin/node', platform: 'linux', arch: 'x64' };
    expect(nodeVersion({ ...program, version: 'v20.11.0' }, 24)).toEqual([
      { level: 'error', what: 'Node.js 20.11.0, linux-x64', todo: 'install Node.js 24 or later' },
    ]);
    expect(levels(nodeVersion({ ...program, version: 'v24.0.0' }, 24))).toEqual(['warning']);
    expect(levels(nodeVersion({ ...program, version: 'unknown' }, 24))).toEqual(['error']);
    expect(levels(nodeVersion(process))).not.toContain('error');
  });

  it('packages: names the package that cannot be loaded, with the first line of the reason', async () => {
    expect(levels(await platformPackages())).toEqual(['ok', 'ok']);
    const findings = await platformPackages(async (name) => {
      if (name === 'better-sqlite3') throw new Error('invalid ELF header\n  at Module._extensions');
      return name;
    });
    expect(findings[0]).toMatchObject({
      level: 'error',
      what: 'better-sqlite3 cannot be loaded: invalid ELF header',
      todo: expect.stringContaining('npm ci'),
    });
    expect(levels(findings)).toEqual(['error', 'ok']);
  });

  it.each([
    ['runs evenly', 1_000, 'ok'],
    ['is set forward', 61_000, 'warning'],
    ['is set back', -5_000, 'warning'],
  ])('clock: sees that it %s', async (_, real, level) => {
    const start = Date.UTC(2026, 10, 30);
    const instants = [
      { real: start, steady: 0 },
      { real: start + real, steady: 1_000 },
    ];
    expect(
      levels(
        await clock(
          () => instants.shift()!,
          async () => {},
        ),
      ),
    ).toEqual([level]);
  });

  it('clock: sees a machine that believes it is 1970', async () => {
    const [finding] = await clock(
      () => ({ real: 5_000, steady: 0 }),
      async () => {},
    );
    expect(finding).toMatchObject({ level: 'error', what: 'the clock is wrong: 1970-01-01T00:00:05.000Z' });
  });

  it.each([
    ['unlimited', 'ok'],
    ['65536', 'ok'],
    ['1024', 'warning'],
    ['64', 'error'],
  ])('open files: judges a limit of %s', (limit, level) => {
    expect(levels(openFiles(`Max processes  100\nMax open files            ${limit}    524288   files\n`))).toEqual([
      level,
    ]);
  });

  it('memory: counts the module processes', () => {
    expect(levels(memory(0, 300 * 1024 ** 2))).toEqual(['ok']);
    expect(memory(4, 300 * 1024 ** 2)).toEqual([
      { level: 'warning', what: '300 MiB of memory left, 5 processes need about 768 MiB', todo: expect.any(String) },
    ]);
  });
});

describe('checks of the data folder', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kerf-doctor-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('data folder: sees a file, a folder of another user, a folder that others may write to, and a missing one', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(dataFolder(file)).toEqual([{ level: 'error', what: `${file} is not a folder`, todo: expect.any(String) }]);
    expect(dataFolder(folder, -1)).toEqual([
      { level: 'warning', what: expect.stringContaining('and this is user -1'), todo: expect.any(String) },
    ]);
    const open = join(folder, 'open');
    mkdirSync(open);
    expect(levels(dataFolder(open))).toEqual(['ok']);
    const own = join(folder, 'new', 'data');
    expect(dataFolder(own)).toEqual([{ level: 'ok', what: `${own} will be made at the first start` }]);
    symlinkSync(folder, join(folder, 'link'));
    expect(levels(dataFolder(join(folder, 'link')))).toEqual(['ok']);
  });

  const stat = (given: Partial<StatsFs>) => () =>
    ({ bavail: 10 ** 9, bsize: 4_096, ffree: 10 ** 6, files: 10 ** 6, ...given }) as StatsFs;
  it.each<[string, Partial<StatsFs>, string[]]>([
    ['a large disk', {}, ['ok']],
    ['little room', { bavail: 100_000 }, ['warning']],
    ['no room', { bavail: 1_000 }, ['error']],
    ['few inodes', { ffree: 5_000 }, ['ok', 'warning']],
    ['no inodes', { ffree: 3 }, ['ok', 'error']],
    ['a file system without inodes', { ffree: 0, files: 0 }, ['ok']],
  ])('disk: judges %s', (_, given, expected) => {
    expect(levels(disk(folder, stat(given)))).toEqual(expected);
  });

  it('file system: warns of network file systems, of memory, and of slow disks', () => {
    const kind = (type: number, sync = () => 1) => fileSystem(folder, { type: () => type, sync });
    expect(levels(kind(0xef53))).toEqual(['ok']);
    expect(kind(0x6969)[0]).toMatchObject({
      level: 'warning',
      what: expect.stringContaining('network file system (NFS)'),
    });
    expect(kind(0x01021994)[0]).toMatchObject({ level: 'warning', what: expect.stringContaining('tmpfs') });
    expect(levels(kind(0xef53, () => 2_000))).toEqual(['warning']);
    const full = () => {
      throw new Error('ENOSPC: no space left on device');
    };
    expect(kind(0xef53, full)).toEqual([
      { level: 'error', what: expect.stringContaining('ENOSPC'), todo: expect.stringContaining('make room') },
    ]);
  });

  it('file system: leaves no file behind', () => {
    const own = join(folder, 'probed');
    mkdirSync(own);
    expect(levels(fileSystem(own))).not.toContain('error');
    expect(readdirSync(own)).toEqual([]);
  });
});

describe('sizes and times', () => {
  it('are short', () => {
    expect([0, 512, 1_536, 8 * 1024 ** 2, 72 * 1024 ** 3, 1024 ** 6].map(bytes)).toEqual([
      ...['0 bytes', '512 bytes', '1.5 KiB', '8.0 MiB', '72 GiB', '1048576 TiB'],
    ]);
    expect([20, 1_500, 90_000, 150_000, 30 * 60 * 60_000, 3 * dayMs].map(span)).toEqual([
      ...['20 ms', '1 s', '90 s', '2 min', '30 h', '3 days'],
    ]);
  });
});
