import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { asNotWritten, damageOf, explain, failureOf } from '../../kernel/database-engine/index.ts';
import { NotWritten } from '../../kernel/errors/index.ts';

const lookEveryMs = 1_000;
/** Time for which a database counts as unwritable after a disk failure in a unit: a probe may write where the disk still works. */
const failsForMs = 5_000;

export interface HealthDependencies {
  /** Milliseconds; never goes back. */
  readonly now: () => number;
  /** Returns the number of frames in the write-ahead log, according to SQLite. */
  readonly frames: () => number;
  /** Called once, when the check finds damage. */
  readonly damaged: (why: string) => void;
}

/**
 * Checks whether an open database can be written. SQLite itself keeps writing to a file that was removed, truncated or overwritten,
 * and reports no error. Damage stays until the process ends, because SQLite's memory no longer matches the files.
 */
export class DatabaseHealth {
  readonly #database: OpenFile;
  readonly #log: OpenFile;
  readonly #index: OpenFile;
  readonly #pageBytes: number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #moved: string | undefined;
  #damage: string | undefined;
  #failure: { readonly why: string; readonly at: number } | undefined;
  private readonly module: string;
  readonly file: string;
  private readonly dependencies: HealthDependencies;

  constructor(module: string, file: string, dependencies: HealthDependencies) {
    this.module = module;
    this.file = file;
    this.dependencies = dependencies;
    this.#database = new OpenFile(file, 'it');
    this.#log = new OpenFile(`${file}-wal`, `its write-ahead log ${file}-wal`);
    // SQLite holds its locks on this file, and loses them when the process closes another descriptor of it.
    this.#index = new OpenFile(`${file}-shm`, `its index ${file}-shm`, false);
    this.#pageBytes = this.#database.read(headerBytes).readUInt16BE(16) || 4_096;
  }

  /** Reason why the database cannot be written, or undefined. Checks the files at most once a second. */
  get problem(): string | undefined {
    const now = this.dependencies.now();
    if (now - this.#lookedAt >= lookEveryMs) {
      this.#lookedAt = now;
      this.look();
    }
    const failure = this.#failure && now - this.#failure.at < failsForMs ? this.#failure.why : undefined;
    return this.#damage ?? this.#moved ?? failure;
  }

  /** Checks the files now. Never throws. */
  look(): void {
    try {
      const moved = [this.#database, this.#log, this.#index].find((each) => each.isMoved);
      this.#moved = moved && `${moved.name} was removed or replaced; put it back and restart`;
      const damage = this.#damageOfDatabase() ?? this.#damageOfLog();
      if (damage) this.#damagedBy(damage);
    } catch (error) {
      this.#failedBy(error, explain(error, this.file));
    }
  }

  /** Records an error of the database. Returns `NotWritten` when the disk or a file is the reason, otherwise the error. */
  met(error: unknown): unknown {
    const why = damageOf(error) ?? failureOf(error, this.file);
    if (why === undefined) return asNotWritten(this.module, this.file, error);
    this.#failedBy(error, why);
    // The files may reveal more than SQLite's error.
    this.look();
    return new NotWritten(this.module, this.file, this.#damage ?? why, error);
  }

  /** Descriptor of the database file. */
  get descriptor(): number {
    return this.#database.descriptor;
  }

  /** Reads a page of the database file, by its number. */
  page(number: number, bytes: number): Buffer {
    return this.#database.read(bytes, (number - 1) * bytes);
  }

  /** Closes the files. Call it after SQLite has closed the database: closing any descriptor of the file ends SQLite's locks. */
  close(): void {
    this.#database.close();
    this.#log.close();
  }

  #failedBy(error: unknown, why: string): void {
    const damage = damageOf(error);
    if (damage) this.#damagedBy(damage);
    else this.#failure = { why, at: this.dependencies.now() };
  }

  #damagedBy(what: string): void {
    if (this.#damage) return;
    this.#damage = `${what}; stop Kerf and restore the data from a backup`;
    this.dependencies.damaged(what);
  }

  #damageOfDatabase(): string | undefined {
    const header = this.#database.read(headerBytes);
    if (header.length < headerBytes) return 'it was cut off while it was open';
    if (!header.toString('latin1').startsWith(magic)) return 'it was overwritten while it was open';
    if (!this.#database.shrank) return undefined;
    // A manual VACUUM also shrinks the file, but records the new size in the header.
    const isCut = header.readUInt32BE(28) * this.#pageBytes > this.#database.bytes;
    return isCut ? 'it was cut off while it was open' : undefined;
  }

  #damageOfLog(): string | undefined {
    const frames = this.dependencies.frames();
    if (frames === 0 || !this.#log.isOpen) return undefined;
    const isCut = this.#log.bytes < 32 + frames * (24 + this.#pageBytes);
    const isLog = !isCut && this.#log.read(4).readUInt32BE(0) >>> 1 === 0x377f0682 >>> 1;
    // Another process may have restarted the log meanwhile.
    if (isLog || this.dependencies.frames() !== frames) return undefined;
    return `${this.#log.name} was ${isCut ? 'cut off' : 'overwritten'} while it was open`;
  }
}

const magic = 'SQLite format 3\0';
const headerBytes = 32;

/** A file that stays open, even when another file replaces it at its path. */
class OpenFile {
  #inode: number | undefined;
  #descriptor: number | undefined;
  #maxBytes = 0;
  private readonly path: string;
  /** The file in a sentence about its database. */
  readonly name: string;
  private readonly isRead: boolean;

  constructor(path: string, name: string, isRead = true) {
    this.path = path;
    this.name = name;
    this.isRead = isRead;
    this.#open();
  }

  /** Throws when the file does not exist. */
  get descriptor(): number {
    if (this.#descriptor === undefined) throw new Error(`${this.path} is not open`);
    return this.#descriptor;
  }

  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  get isMoved(): boolean {
    if (this.#inode === undefined) this.#open();
    if (this.#inode === undefined) return false;
    return statSync(this.path, { throwIfNoEntry: false })?.ino !== this.#inode;
  }

  get bytes(): number {
    return fstatSync(this.descriptor).size;
  }

  /** Whether the file is smaller than at the last check. */
  get shrank(): boolean {
    const { bytes } = this;
    const before = this.#maxBytes;
    this.#maxBytes = bytes;
    return bytes < before;
  }

  /** Reads `count` bytes from the offset `from`. Returns fewer when the file is shorter. */
  read(count: number, from = 0): Buffer {
    const bytes = Buffer.alloc(count);
    return bytes.subarray(0, readSync(this.descriptor, bytes, 0, count, from));
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): void {
    this.#inode = statSync(this.path, { throwIfNoEntry: false })?.ino;
    if (this.#inode !== undefined && this.isRead) this.#descriptor = openSync(this.path, 'r');
  }
}
