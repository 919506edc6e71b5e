import { closeSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

/** State of a write-ahead log from its index. It covers complete commits only, even in the middle of a transaction. */
export interface WalState {
  /** Number of frames in the log. */
  readonly frames: number;
  /** Number of frames that a checkpoint has copied into the database. */
  readonly copied: number;
  /** Identifies one generation of the log, in hexadecimal digits. It changes when SQLite restarts the log. */
  readonly salt: string;
  /** Grows by one with each commit of any process. */
  readonly change: number;
}

// https://sqlite.org/walformat.html#the_wal_index_file_format: the header, twice, and the number of copied frames.
const headerBytes = 48;
const read = endianness() === 'LE' ? 'readUInt32LE' : 'readUInt32BE';
const attempts = 20;

/** Reads SQLite's index of a write-ahead log from the `-shm` file. A statement for the same data would take ten times as long. */
export class WalIndex {
  readonly #bytes = Buffer.alloc(2 * headerBytes + 4);
  #descriptor: number | undefined;
  private readonly file: string;
  private readonly repair: () => void;

  /** `repair` makes SQLite read the index. SQLite rebuilds it when a process has died while writing it. */
  constructor(file: string, repair: () => void) {
    this.file = file;
    this.repair = repair;
  }

  /** Returns the current state. Throws when the index is unreadable or invalid. */
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

  /** Closes the file. Call it after SQLite has closed the database: closing any descriptor of the file ends SQLite's locks. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
