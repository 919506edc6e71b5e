// Checks of the data folder and its disk.
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  rmSync,
  type StatsFs,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '../setup.mjs';
import { error, type Finding, ok, warning } from './check.ts';
import { bytes } from './units.ts';

const othersMayWrite = 0o022;

/** Checks that the folder exists or can be made, is this user's alone, and can be written to. */
export function dataFolder(folder: string, user = process.getuid?.()): Finding[] {
  const path = resolve(folder);
  if (!existsSync(path)) {
    const parent = nearest(path);
    return mayWrite(parent)
      ? [ok(`${path} will be made at the first start`)]
      : [
          error(
            `${path} cannot be made: ${parent} may not be written to`,
            'make it, and let this user own it; or set DATA_DIR',
          ),
        ];
  }
  const found = statSync(path);
  if (!found.isDirectory()) return [error(`${path} is not a folder`, 'set DATA_DIR to a folder')];
  if (!mayWrite(path))
    return [error(`${path} may not be written to`, 'let the user that runs Kerf own it, or set DATA_DIR')];
  const mistakes: Finding[] = [];
  if (user !== undefined && found.uid !== user)
    mistakes.push(
      warning(`${path} belongs to user ${found.uid}, and this is user ${user}`, 'run doctor and Kerf as the same user'),
    );
  if (found.mode & othersMayWrite)
    mistakes.push(warning(`others may write to ${path} (mode ${octal(found.mode)})`, `chmod 700 ${path}`));
  return mistakes.length > 0 ? mistakes : [ok(`${path} is this user's, mode ${octal(found.mode)}`)];
}

function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns the path, or the nearest folder above it that exists. */
export function nearest(path: string): string {
  let at = resolve(path);
  while (!existsSync(at) && at !== dirname(at)) at = dirname(at);
  return at;
}

export function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0');
}

const mebi = 1024 ** 2;
/** Bytes and files (inodes): below the first number nothing goes on for long, below the second it is time to make room. */
const leastBytes = [64 * mebi, 1024 * mebi] as const;
const leastFiles = [100, 10_000] as const;

interface DiskFacts {
  readonly folder: string;
  readonly freeBytes: number;
  readonly freeFiles: number;
  /** 0 on a file system without a fixed number of files. */
  readonly files: number;
}

/** Checks the room on a disk. `whose` says which process reports it. */
export function room({ folder, freeBytes, freeFiles, files }: DiskFacts, whose = ''): Finding[] {
  const left = `${whose}${bytes(freeBytes)} left on the disk of ${folder}`;
  const findings = [short(freeBytes, leastBytes, left, 'make room, or move the data folder to a larger disk')];
  const inodes = `${whose}${freeFiles} files (inodes) left on the disk of ${folder}`;
  if (files > 0 && freeFiles < leastFiles[1])
    findings.push(short(freeFiles, leastFiles, inodes, 'remove files, or make a file system with more inodes'));
  return findings;
}

function short(left: number, [least, enough]: readonly [number, number], what: string, todo: string): Finding {
  if (left < least) return error(what, todo);
  return left < enough ? warning(what, todo) : ok(what);
}

/** Checks the room on the disk of a folder, which need not exist yet. */
export function disk(folder: string, stat: (path: string) => StatsFs = statfsSync): Finding[] {
  const at = nearest(folder);
  const { bavail, bsize, ffree, files } = stat(at);
  return room({ folder: at, freeBytes: bavail * bsize, freeFiles: ffree, files });
}

/** The numbers of Linux for kinds of file systems. */
const network: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x65735546, 'FUSE'],
]);
const passing: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs: its data ends with the machine'],
  [0x858458f6, 'ramfs: its data ends with the machine'],
  [0x794c7630, 'overlayfs: its data ends with the container'],
]);
const slowMs = 100;

/** Checks the kind of the file system, and writes a file to the disk with fsync. */
export function fileSystem(
  folder: string,
  { type, sync }: { type: (path: string) => number; sync: (path: string) => number } = {
    type: (path) => statfsSync(path).type,
    sync: syncedWithin,
  },
): Finding[] {
  const at = nearest(folder);
  const kind = type(at);
  const remote = network.get(kind);
  const findings: Finding[] = [];
  if (remote)
    findings.push(
      warning(`${at} is on a network file system (${remote})`, 'use a local disk: locks and fsync may not hold there'),
    );
  const short = passing.get(kind);
  if (short) findings.push(warning(`${at} is on ${short}`, 'use a disk, or mount a volume, for data that is to stay'));
  try {
    const ms = Math.round(sync(at));
    findings.push(
      ms > slowMs
        ? warning(`a write to the disk (fsync) took ${ms} ms`, 'see what else uses the disk: each commit waits for it')
        : ok(`a write to the disk (fsync) took ${ms} ms`),
    );
  } catch (failed) {
    findings.push(error(`${at} takes no file: ${messageOf(failed)}`, 'make room, or make it writable for this user'));
  }
  return findings;
}

/** Writes a file that it removes again. Returns the milliseconds until it was on disk. */
function syncedWithin(folder: string): number {
  const path = join(folder, `.kerf-doctor-${process.pid}`);
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, Buffer.alloc(64 * 1024));
    const begun = performance.now();
    fsyncSync(file);
    return performance.now() - begun;
  } finally {
    closeSync(file);
    rmSync(path);
  }
}
