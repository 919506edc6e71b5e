import { closeSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

/** A write-ahead log as its index describes it: of commits that are whole, also in the middle of a transaction. */
export interface WalState {
  /** How many frames it has. */
  readonly frames: number;
  /** How many of them are copied into the database. */
  readonly copied: number;
  /** What tells one beginning of the log from another, in hexadecimal digits. */
  readonly salt: string;
  /** Grows by one with each commit of any process. */
  readonly change: number;
}

// https://sqlite.org/walformat.html#the_wal_index_file_format: the header, twice, and what was copied.
const headerBytes = 48;
const read = endianness() === 'LE' ? 'readUInt32LE' : 'readUInt32BE';
const attempts = 20;

/** The index that SQLite keeps of a write-ahead log in the `-shm` file: one read tells what a statement would take ten times as long for. */
export class WalIndex {
  readonly #bytes = Buffer.alloc(2 * headerBytes + 4);
  #descriptor: number | undefined;
  private readonly file: string;
  private readonly repair: () => void;

  /** `repair` has SQLite look at the index, which makes it anew where a process has died while it wrote it. */
  constructor(file: string, repair: () => void) {
    this.file = file;
    this.repair = repair;
  }

  /** Throws when the index cannot be read, or is none. */
  read(): WalState {
    // Another process may be writing it.
    for (let attempt = 0; attempt < attempts; attempt++) if (this.#isWhole()) return this.#state();
    this.repair();
    if (this.#isWhole()) return this.#state();
    throw new Error(`${this.file} is no index of a write-ahead log`);
  }

  #isWhole(): boolean {
    this.#descriptor ??= openSync(this.file, 'r');
    const bytes = this.#bytes;
    const count = readSync(this.#descriptor, bytes, 0, bytes.length, 0);
    const isTwice = bytes.compare(bytes, 0, headerBytes, headerBytes, 2 * headerBytes) === 0;
    return count === bytes.length && isTwice && bytes[12] === 1;
  }

  #state(): WalState {
    const bytes = this.#bytes;
    return {
      frames: bytes[read](16),
      copied: bytes[read](2 * headerBytes),
      salt: bytes.toString('hex', 32, 40),
      change: bytes[read](8),
    };
  }

  /** To be called when SQLite has closed the database: its locks end with any descriptor of the file. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
