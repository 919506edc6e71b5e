import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, messageOf, StartError } from '../errors/index.ts';
import type { DatabaseRecord, DatabaseState } from './database-state.ts';
import { explain } from './explain.ts';

/** The content of `system.json`. */
interface SystemNote {
  readonly system?: string;
  /** The modules that have a record. A folder of an earlier release does not list them. */
  readonly modules?: readonly string[];
}

const systemFile = 'system.json';
const fileOf = (module: string) => join('records', `${module}.json`);
const contentOf = ({ id, commits }: DatabaseState) => ({ id, commits, at: new Date().toISOString() });

/**
 * Keeps the records of a data folder about the databases of its system. Each module has a file with the last seen state of its database.
 * Another file holds the id of the system and the names of these modules. Each write replaces a whole file, after the new file is on
 * disk. So an unreadable file is damaged; a crash cannot be the cause.
 */
export class DatabaseRecords {
  readonly #aside = randomUUID();
  readonly #writing = new Set<string>();
  /** The earlier record files of the modules whose data was accepted. */
  readonly #before = new Map<string, string | undefined>();
  #lastNote: SystemNote | undefined;
  private readonly folder: string;
  private readonly founds: boolean;

  /** `founds`: whether this process creates the id of the system when the folder has none, as the home process does. */
  constructor(folder: string, founds: boolean) {
    this.folder = folder;
    this.founds = founds;
  }

  /**
   * The id of the system whose data is in this folder, once it is known. Throws a `StartError` when `system.json` cannot be read or is
   * damaged. When it is damaged later, the process uses the content that it read before.
   */
  get system(): string | undefined {
    return this.#note().system;
  }

  setSystem(system: string): void {
    if (this.system !== system) this.#write(systemFile, { ...this.#note(), system });
  }

  /** Returns a new system id, or `undefined` when this process must not create one. */
  newSystem(): string | undefined {
    return this.founds ? randomUUID() : undefined;
  }

  /** Returns the record of a module's database; `undefined` when the folder has never had data of the module. */
  of(module: string): DatabaseRecord | undefined {
    const path = join(this.folder, fileOf(module));
    let text = this.#read(fileOf(module));
    if (text === undefined) {
      if (!this.#note().modules?.includes(module)) return undefined;
      // Another process may have written the record and listed the module since the read.
      text = this.#read(fileOf(module));
      if (text === undefined) return { lost: `its record ${path} is missing` };
    }
    try {
      return recordIn(text);
    } catch (error) {
      return { lost: `its record ${path} is damaged (${messageOf(error)})` };
    }
  }

  /**
   * Records the state of a module's database. Keeps a higher commit count that another process of this folder has recorded. Lists the
   * module last: a module that is listed and has no record counts as lost.
   */
  see(state: DatabaseState): void {
    if (!this.#knows(state)) this.#write(fileOf(state.module), contentOf(state));
    this.#list(state);
  }

  /** Does the same as `see` and does not block the event loop for the disk. Rejects when the folder cannot be written. */
  async seeLater(state: DatabaseState): Promise<void> {
    const { module } = state;
    if (this.#writing.has(module)) return;
    if (this.#knows(state)) return this.#list(state);
    this.#writing.add(module);
    const file = join(this.folder, fileOf(module));
    const aside = `${file}.${this.#aside}-later`;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeDown(aside, textOf(contentOf(state)));
      // Meanwhile, the module may have closed and recorded more commits.
      if (this.#knows(state)) rmSync(aside, { force: true });
      else await rename(aside, file);
      this.#list(state);
    } catch (error) {
      rmSync(aside, { force: true });
      throw error;
    } finally {
      this.#writing.delete(module);
    }
  }

  /** Records that a module's database is damaged. Until the damage is accepted, `see` does not record the state of the database. */
  damaged(module: string, damage: string): void {
    this.#write(fileOf(module), { damage, damagedAt: new Date().toISOString() });
  }

  /** Accepts the data of a module: the next process that opens the module continues with any data that it finds. */
  accept(module: string): void {
    this.#before.set(module, this.#read(fileOf(module)));
    this.#write(fileOf(module), { acceptedAt: new Date().toISOString() });
  }

  /** Withdraws each acceptance that no process has used yet, after a failed start. */
  withdraw(): void {
    for (const [module, before] of this.#before) {
      if (!('acceptedAt' in (this.of(module) ?? {}))) continue;
      if (before === undefined) rmSync(join(this.folder, fileOf(module)), { force: true });
      else this.#replace(fileOf(module), before);
    }
  }

  /** Adds the module to the list. Several processes may write the list at the same time; each one checks again for its own modules. */
  #list({ module, system }: DatabaseState): void {
    const note = this.#note();
    const { modules = [] } = note;
    if (modules.includes(module) && (note.system !== undefined || system === null)) return;
    const all = [...new Set([...modules, module])].sort();
    this.#write(systemFile, { ...note, ...(note.system === undefined && system !== null && { system }), modules: all });
  }

  #knows({ module, id, commits }: DatabaseState): boolean {
    const before = this.of(module);
    if (before && 'lost' in before) return before.damagedAt !== undefined;
    return before !== undefined && 'id' in before && before.id === id && before.commits >= commits;
  }

  #note(): SystemNote {
    const text = this.#read(systemFile);
    try {
      this.#lastNote = text === undefined ? {} : noteIn(text);
    } catch (error) {
      if (this.#lastNote) return this.#lastNote;
      throw new StartError(
        `${join(this.folder, systemFile)} is damaged (${messageOf(error)}); restore the data folder from a backup, or, if all databases are there, remove this file: Kerf writes it again`,
        { cause: error },
      );
    }
    return this.#lastNote;
  }

  /** Returns the text of a file, or `undefined` when there is none. Throws a `StartError` when the operating system refuses the read. */
  #read(name: string): string | undefined {
    const file = join(this.folder, name);
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw new StartError(`${file} cannot be read: ${explain(error, file)}`, { cause: error });
    }
  }

  #write(name: string, content: object): void {
    this.#replace(name, textOf(content));
  }

  #replace(name: string, text: string): void {
    const file = join(this.folder, name);
    const aside = `${file}.${this.#aside}`;
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(aside, text, { mode: 0o600, flush: true });
      renameSync(aside, file);
    } catch (error) {
      rmSync(aside, { force: true });
      throw new StartError(`${file} cannot be written: ${explain(error, file)}`, { cause: error });
    }
  }
}

const textOf = (content: object) => `${JSON.stringify(content)}\n`;

async function writeDown(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Parses a record. Throws when the text is not a record. */
function recordIn(text: string): DatabaseRecord {
  const content: Record<string, unknown> | null = JSON.parse(text);
  const { id, commits, at, damage, damagedAt, acceptedAt } = content ?? {};
  if (typeof damage === 'string' && typeof damagedAt === 'string')
    return { lost: `${damage} (found at ${damagedAt})`, damagedAt };
  if (typeof acceptedAt === 'string') return { acceptedAt };
  if (typeof id === 'string' && typeof commits === 'number' && Number.isSafeInteger(commits) && typeof at === 'string')
    return { id, commits, at };
  throw new Error('it is no record of a database');
}

/** Parses `system.json`. Throws when the text is not a system note. */
function noteIn(text: string): SystemNote {
  const content: Record<string, unknown> | null = JSON.parse(text);
  const { system = '', modules = [] } = content ?? {};
  const isNote = typeof content === 'object' && content && typeof system === 'string' && Array.isArray(modules);
  if (!isNote) throw new Error('it does not name a system');
  return content as SystemNote;
}
