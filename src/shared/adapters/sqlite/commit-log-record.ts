import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { crc32 } from 'node:zlib';

/** States that a database's write-ahead log is on disk up to `end`, and which part of it this record holds. */
export interface Claim {
  readonly name: string;
  /** Identifies one generation of the write-ahead log. It changes when SQLite restarts the log. */
  readonly salt: string;
  /** The record holds the bytes of the write-ahead log from here up to `end`. */
  readonly from: number;
  readonly end: number;
  /** Number of commits that the database had counted. */
  readonly commits: number;
  /** The number of the process that commits (`user_version`). */
  readonly writer: number;
  /** Number of the page with the commit counter. Its checksum `sum` identifies a state of the database file. */
  readonly page: number;
  readonly pageBytes: number;
  readonly sum: number;
  /** From now on, the write-ahead log is complete without the commit log. */
  readonly released?: true;
}

/** The part of a claim that the database itself provides. */
export type State = Omit<Claim, 'name' | 'from' | 'released'>;

export interface LogRecord {
  /** Identifies the boot of the machine. */
  readonly boot: string;
  readonly claims: readonly Claim[];
  /** One for each claim. */
  readonly bytes: readonly Buffer[];
}

const slackMs = 60_000;

/** Identifies the boot of the machine: the boot id of Linux, otherwise the start time of the machine. */
const boot = (() => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return String(Math.round((Date.now() - uptime() * 1_000) / slackMs));
  }
})();

/** Tells whether the machine has rebooted since the record was written. */
export function isOfEarlierRun(record: LogRecord): boolean {
  return record.boot !== boot;
}

// checksum of the rest, generation, length of the JSON (boot and claims), length of the bytes
const headBytes = 4 + 8 + 4 + 4;

/** Writes the bytes of the claim at `index` into `target`. */
export type Fill = (index: number, target: Buffer) => void;

/** Encodes a record, in memory that `allocate` returns. */
export function sealRecord(
  generation: Buffer,
  claims: readonly Claim[],
  fill: Fill = () => {},
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const text = Buffer.from(JSON.stringify({ boot, claims }));
  const length = claims.reduce((sum, { from, end }) => sum + end - from, 0);
  const record = allocate(headBytes + text.length + length);
  generation.copy(record, 4);
  record.writeUInt32LE(text.length, 12);
  record.writeUInt32LE(length, 16);
  let at = headBytes + text.copy(record, headBytes);
  for (const [index, { from, end }] of claims.entries()) {
    fill(index, record.subarray(at, at + end - from));
    at += end - from;
  }
  record.writeUInt32LE(crc32(record.subarray(4)), 0);
  return record;
}

/** Yields the records of one generation, from the beginning of a log to the first incomplete record. */
export function* recordsIn(log: Buffer): Generator<LogRecord> {
  for (let at = 0; at + headBytes <= log.length; ) {
    const length = log.readUInt32LE(at + 12) + log.readUInt32LE(at + 16);
    const record = log.subarray(at, at + headBytes + length);
    const isWhole = record.length === headBytes + length && crc32(record.subarray(4)) === record.readUInt32LE(0);
    if (!isWhole || record.compare(log, 4, 12, 4, 12) !== 0) return;
    yield opened(record);
    at += record.length;
  }
}

function opened(record: Buffer): LogRecord {
  let at = headBytes + record.readUInt32LE(12);
  const { boot, claims } = JSON.parse(record.toString('utf8', headBytes, at)) as Omit<LogRecord, 'bytes'>;
  const bytes = claims.map(({ from, end }) => {
    const own = record.subarray(at, at + end - from);
    at += own.length;
    return own;
  });
  return { boot, claims, bytes };
}
