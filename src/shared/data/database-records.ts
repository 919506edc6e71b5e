import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseRecord, DatabaseState } from './database-state.ts';

/**
 * What a data folder knows of the databases of its system, beside the databases themselves: a file for each module with what was last
 * seen of it, and one with the id of the system. Files are replaced as a whole; one that cannot be read counts as not there.
 */
export class DatabaseRecords {
  readonly #aside = randomUUID();
  /** What was known of the modules whose data was accepted. */
  readonly #before = new Map<string, DatabaseRecord | undefined>();

  /** `founds`: whether this process gives the system its id where the folder knows none, as the home process does. */
  constructor(
    private readonly folder: string,
    private readonly founds: boolean,
  ) {}

  /** The id of the system whose data is in this folder, once that is known. */
  get system(): string | undefined {
    const system = this.#read('system.json')?.system;
    return typeof system === 'string' ? system : undefined;
  }

  setSystem(system: string): void {
    if (this.system !== system) this.#write('system.json', { system });
  }

  /** A new id, from the process that may give one. */
  newSystem(): string | undefined {
    return this.founds ? randomUUID() : undefined;
  }

  of(module: string): DatabaseRecord | undefined {
    const content = this.#read(join('records', `${module}.json`));
    const isRecord = typeof content?.id === 'string' && Number.isSafeInteger(content.commits);
    return isRecord || typeof content?.acceptedAt === 'string' ? (content as unknown as DatabaseRecord) : undefined;
  }

  /** Keeps what was seen of a module's database. Commits that were seen before by another process of this folder stay known. */
  see({ module, id, commits }: DatabaseState): void {
    const before = this.of(module);
    if (before && 'id' in before && before.id === id && before.commits >= commits) return;
    this.#write(join('records', `${module}.json`), { id, commits, at: new Date().toISOString() });
  }

  /** The next process that opens the module goes on with whatever data it finds. */
  accept(module: string): void {
    this.#before.set(module, this.of(module));
    this.#write(join('records', `${module}.json`), { acceptedAt: new Date().toISOString() });
  }

  /** Takes back what was accepted and has not been used: the start has failed. */
  withdraw(): void {
    for (const [module, before] of this.#before) {
      const isUnused = 'acceptedAt' in (this.of(module) ?? {});
      if (isUnused && before) this.#write(join('records', `${module}.json`), before);
      else if (isUnused) rmSync(join(this.folder, 'records', `${module}.json`), { force: true });
    }
  }

  #read(name: string): Record<string, unknown> | undefined {
    try {
      return JSON.parse(readFileSync(join(this.folder, name), 'utf8')) as Record<string, unknown>;
    } catch {
      return undefined;
    }
  }

  #write(name: string, content: object): void {
    const file = join(this.folder, name);
    const aside = `${file}.${this.#aside}`;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(aside, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    renameSync(aside, file);
  }
}
