import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { crc32 } from 'node:zlib';

/** That a database's write-ahead log is on disk up to `end`, and what of it stands in this record. */
export interface Claim {
  readonly name: string;
  /** What tells one beginning of the write-ahead log from another. */
  readonly salt: string;
  /** The record holds the bytes of the write-ahead log from here up to `end`. */
  readonly from: number;
  readonly end: number;
  /** How many commits the database had counted. */
  readonly commits: number;
  /** The number of the process that commits (`user_version`). */
  readonly writer: number;
  /** Tells one state of the database file from another: the checksum of the page with the counter, at this number. */
  readonly page: number;
  readonly pageBytes: number;
  readonly sum: number;
  /** The write-ahead log stands by itself from now on. */
  readonly released?: true;
}

/** What a database says of itself in a claim. */
export type State = Omit<Claim, 'name' | 'from' | 'released'>;

export interface LogRecord {
  /** Tells this run of the machine from others. */
  readonly boot: string;
  readonly claims: readonly Claim[];
  /** One for each claim. */
  readonly bytes: readonly Buffer[];
}

const slackMs = 60_000;

/** Tells one run of the machine from the next, where it says so; otherwise by the time at which it was started. */
const boot = (() => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return String(Math.round((Date.now() - uptime() * 1_000) / slackMs));
  }
})();

/** Whether the machine was started anew since the record was written. */
export function isOfEarlierRun(record: LogRecord): boolean {
  return record.boot !== boot;
}

// checksum of all that follows, generation, length of the boot and the claims as JSON, length of the bytes
const headBytes = 4 + 8 + 4 + 4;

/** Puts the bytes of the claim with this number into `target`. */
export type Fill = (index: number, target: Buffer) => void;

/** A record as it is written, in memory that `allocate` gives for its bytes. */
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

/** The records of one generation, from the beginning of a log up to the first that is not whole. */
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
