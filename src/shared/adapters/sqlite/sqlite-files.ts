import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

export const walHeaderBytes = 32;
export const frameHeaderBytes = 24;
const maxBytes = 256 * 1024 * 1024;

/**
 * Returns the damage by which a write-ahead log would lose commits: SQLite reads it up to the first damaged frame, and silently skips
 * the rest. A crash leaves one unfinished transaction at most. Two commits behind the damage were written one after the other, so
 * the first one was on disk. This check cannot detect commits that were cut off at the end.
 */
export function damageOfWal(file: string): string | undefined {
  const found = scan(file);
  // Another process may have restarted the log during the scan.
  return found !== undefined && found === scan(file) ? found : undefined;
}

function scan(file: string): string | undefined {
  const size = sizeOf(file);
  if (size <= walHeaderBytes + frameHeaderBytes || size > maxBytes) return undefined;
  const descriptor = openSync(file, 'r');
  try {
    return damageIn(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function damageIn(descriptor: number): string | undefined {
  const header = Buffer.alloc(walHeaderBytes);
  readSync(descriptor, header, 0, walHeaderBytes, 0);
  const magic = header.readUInt32BE(0);
  const isBigEndian = magic === 0x377f0683;
  const pageBytes = header.readUInt32BE(8);
  let sum = checksum(header, 0, 24, [0, 0], isBigEndian);
  const isHeaderWhole =
    magic >>> 1 === 0x377f0682 >>> 1 && sum[0] === header.readUInt32BE(24) && sum[1] === header.readUInt32BE(28);
  if (!isHeaderWhole) return 'its header';
  const frame = Buffer.alloc(frameHeaderBytes + pageBytes);
  const frames = Math.floor((fstatSync(descriptor).size - walHeaderBytes) / frame.length);
  let [damaged, commits] = [0, 0];
  for (let number = 1; number <= frames; number++) {
    readSync(descriptor, frame, 0, frame.length, walHeaderBytes + (number - 1) * frame.length);
    const isOfThisLog = frame.compare(header, 16, 24, 8, 16) === 0;
    if (damaged === 0) {
      sum = checksum(frame, frameHeaderBytes, frame.length, checksum(frame, 0, 8, sum, isBigEndian), isBigEndian);
      const isWhole = isOfThisLog && sum[0] === frame.readUInt32BE(16) && sum[1] === frame.readUInt32BE(20);
      if (!isWhole) damaged = number;
    }
    if (damaged > 0 && isOfThisLog && frame.readUInt32BE(4) > 0) commits += 1;
  }
  return commits >= 2 ? `frame ${damaged} of ${frames}` : undefined;
}

/** Returns the salt that identifies a generation of a write-ahead log; undefined when there is no log. */
export function saltIn(wal: string): string | undefined {
  if (!existsSync(wal)) return undefined;
  const descriptor = openSync(wal, 'r');
  try {
    const header = Buffer.alloc(walHeaderBytes);
    return readSync(descriptor, header) === header.length ? saltOf(header) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function saltOf(header: Buffer): string {
  return header.toString('hex', 16, 24);
}

type Sum = readonly [number, number];

function checksum(buffer: Buffer, from: number, to: number, seed: Sum, isBigEndian: boolean): Sum {
  let [first, second] = seed;
  for (let at = from; at < to; at += 8) {
    first = (first + (isBigEndian ? buffer.readUInt32BE(at) : buffer.readUInt32LE(at)) + second) >>> 0;
    second = (second + (isBigEndian ? buffer.readUInt32BE(at + 4) : buffer.readUInt32LE(at + 4)) + first) >>> 0;
  }
  return [first, second];
}
