import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { StartError } from '../../kernel/errors/index.ts';
import { readSecret, removeSecret, replaceSecret } from './secret-file.ts';

/** Maximum number of records in memory. The folder may hold more: the oldest are read again. */
const maxRemembered = 10_000;

interface Remembered<T> {
  readonly version: string;
  readonly record: T;
}

/**
 * Keeps small records, each in a file of its own (mode 0600). Every process that shares the folder sees a change at its next `get`. Two
 * processes that change different records at once lose no change. A change is on disk before `put` and `delete` return.
 */
export class RecordFolder<T> {
  readonly #remembered = new Map<string, Remembered<T>>();
  private readonly folder: string;
  private readonly schema: z.ZodType<T>;

  constructor(folder: string, schema: z.ZodType<T>) {
    this.folder = folder;
    this.schema = schema;
  }

  /** Returns the record with this name, if there is one. Throws a `StartError` when its file is damaged or cannot be read. */
  get(name: string): T | undefined {
    const file = this.#fileOf(name);
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found) {
      this.#remembered.delete(name);
      return undefined;
    }
    const version = `${found.ino} ${found.mtimeMs} ${found.size}`;
    const remembered = this.#remembered.get(name);
    if (remembered?.version === version) return remembered.record;
    const record = this.#read(file);
    this.#remember(name, { version, record });
    return record;
  }

  all(): [name: string, record: T][] {
    return this.#names().flatMap((name) => {
      const record = this.get(name);
      return record === undefined ? [] : [[name, record]];
    });
  }

  put(name: string, record: T): void {
    replaceSecret(this.#fileOf(name), `${JSON.stringify(record, null, 2)}\n`);
  }

  /** Returns whether there was such a record. */
  delete(name: string): boolean {
    return removeSecret(this.#fileOf(name));
  }

  #names(): string[] {
    try {
      const names = readdirSync(this.folder).map((file) => /^([a-z0-9]{1,64})\.json$/.exec(file)?.[1] ?? []);
      return names.flat().sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #read(file: string): T {
    try {
      return this.schema.parse(JSON.parse(readSecret(file)));
    } catch (cause) {
      if (cause instanceof StartError) throw cause;
      throw new StartError(`${file} is damaged; restore it, or remove it`, { cause });
    }
  }

  #remember(name: string, remembered: Remembered<T>): void {
    this.#remembered.delete(name);
    this.#remembered.set(name, remembered);
    if (this.#remembered.size > maxRemembered) this.#remembered.delete(this.#remembered.keys().next().value!);
  }

  #fileOf(name: string): string {
    // A name must not lead to another folder.
    if (!/^[a-z0-9]{1,64}$/.test(name)) throw new Error(`"${name}" is not the name of a record`);
    return join(this.folder, `${name}.json`);
  }
}
