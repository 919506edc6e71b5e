import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const hourSeconds = 60 * 60;
/** How long an entry outlives its token. A clock that is hours ahead for a while then revives no session. */
const marginHours = 24;

interface Segment {
  readonly ids: Set<string>;
  /** Bytes of the file that were read. */
  read: number;
}

/**
 * Keeps the sessions that ended by sign-out, until a day after their tokens expire. The data folder has one file for each hour of
 * expiry. Every process that shares the folder sees an entry at once. The entry is on disk before `add` returns.
 */
export class SignedOut {
  readonly #segments = new Map<number, Segment>();
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Adds a session. `expiresAt` is in seconds since 1970. Throws when the entry is not completely on disk. */
  add(id: string, expiresAt: number): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    this.#removeExpiredFiles();
    const file = openSync(this.#fileOf(hourOf(expiresAt)), 'a', 0o600);
    try {
      // One write keeps the lines of several processes apart. It starts a new line, since the previous write may be incomplete.
      const line = Buffer.from(`\n${id}\n`);
      if (writeSync(file, line) < line.length)
        throw new Error('a sign-out was not written to its end; the disk is full');
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  has(id: string, expiresAt: number): boolean {
    const hour = hourOf(expiresAt);
    const size = statSync(this.#fileOf(hour), { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0) return false;
    const segment = this.#segments.get(hour) ?? this.#newSegment(hour);
    if (size > segment.read) this.#readOn(segment, hour, size);
    return segment.ids.has(id);
  }

  #readOn(segment: Segment, hour: number, size: number): void {
    const fresh = Buffer.alloc(size - segment.read);
    const file = openSync(this.#fileOf(hour), 'r');
    try {
      readSync(file, fresh, 0, fresh.length, segment.read);
    } finally {
      closeSync(file);
    }
    const whole = fresh.lastIndexOf(10) + 1;
    for (const id of fresh.subarray(0, whole).toString('utf8').split('\n')) segment.ids.add(id);
    segment.read += whole;
  }

  /** Makes the segment of an hour and drops those of past hours. Writes nothing: the folder may be read-only. */
  #newSegment(hour: number): Segment {
    const now = currentHour();
    for (const known of this.#segments.keys()) if (known < now) this.#segments.delete(known);
    const segment = { ids: new Set<string>(), read: 0 };
    this.#segments.set(hour, segment);
    return segment;
  }

  #removeExpiredFiles(): void {
    const end = currentHour() - marginHours;
    for (const name of readdirSync(this.folder)) {
      if (Number(name) < end) rmSync(join(this.folder, name), { force: true });
    }
  }

  #fileOf(hour: number): string {
    return join(this.folder, String(hour));
  }
}

function currentHour(): number {
  return hourOf(Date.now() / 1_000);
}

function hourOf(seconds: number): number {
  return Math.floor(seconds / hourSeconds);
}
