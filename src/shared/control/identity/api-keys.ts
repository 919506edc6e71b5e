import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Session } from '../../kernel/http-api/index.ts';
import { RecordFolder } from './record-folder.ts';

const prefix = 'kerf_';
const pattern = /^kerf_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;
/** The last use is known to this accuracy: a write for each request would cost more than the request. */
const useIntervalMs = 10 * 60_000;
/** A key without an expiry. Far enough for any list of ended sessions. */
const never = Math.floor(Date.UTC(2100, 0, 1) / 1_000);

const recordSchema = z.object({
  name: z.string(),
  roles: z.array(z.string()).min(1),
  /** SHA-256 of the key, in hexadecimal digits. */
  hash: z.hex().length(64),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
});
type Stored = z.output<typeof recordSchema>;

/** What operators see of a key. */
export type ApiKey = Omit<Stored, 'hash'> & { readonly id: string; readonly lastUsedAt?: string | undefined };

export interface NewApiKey {
  readonly name: string;
  readonly roles: readonly string[];
  /** In milliseconds since 1970. */
  readonly expiresAt?: number | undefined;
}

/**
 * Keeps the keys of programs. A key is 256 random bits, so its SHA-256 reveals nothing that could be guessed: a slow hash, as for
 * passwords, would only slow down each request. A revocation holds from the next request on, in every process that shares the folder.
 */
export class ApiKeys {
  readonly #records: RecordFolder<Stored>;
  private readonly folder: string;
  private readonly now: () => number;

  constructor(folder: string, now: () => number = Date.now) {
    this.folder = folder;
    this.now = now;
    this.#records = new RecordFolder(folder, recordSchema);
  }

  /** Whether a token claims to be an API key. */
  static claims(token: string): boolean {
    return token.startsWith(prefix);
  }

  /** Makes a key. Nobody can see its `token` again. */
  create({ name, roles, expiresAt }: NewApiKey): ApiKey & { token: string } {
    const id = randomBytes(8).toString('hex');
    const token = `${prefix}${id}_${randomBytes(32).toString('base64url')}`;
    const record = {
      ...{ name, roles: [...new Set(roles)].sort() },
      createdAt: new Date(this.now()).toISOString(),
      ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
    };
    this.#records.put(id, { ...record, hash: digestOf(token).toString('hex') });
    return { id, ...record, token };
  }

  /** Returns all keys, the oldest first, also those that have expired. */
  all(): ApiKey[] {
    const keys = this.#records.all().map(([id, { hash: _, ...record }]): ApiKey => {
      return { id, ...record, lastUsedAt: this.#lastUse(id) };
    });
    return keys.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  /** Ends a key. Returns whether there was one. */
  revoke(id: string): boolean {
    if (!isId(id) || !this.#records.delete(id)) return false;
    rmSync(this.#useFile(id), { force: true });
    return true;
  }

  /** Returns the session of a key, or `undefined` for one that is wrong, expired or revoked. Throws when the keys cannot be read. */
  verify(token: string): Session | undefined {
    const [, id] = pattern.exec(token) ?? [];
    if (id === undefined) return undefined;
    const record = this.#records.get(id);
    // Compares digests, in a time that does not depend on them.
    if (!record || !timingSafeEqual(digestOf(token), Buffer.from(record.hash, 'hex'))) return undefined;
    const expiresAt = record.expiresAt === undefined ? never : Date.parse(record.expiresAt) / 1_000;
    if (expiresAt * 1_000 <= this.now()) return undefined;
    this.#noteUse(id);
    return { id: `api-key ${id}`, apiKey: id, roles: record.roles, expiresAt };
  }

  #lastUse(id: string): string | undefined {
    return statSync(this.#useFile(id), { throwIfNoEntry: false })?.mtime.toISOString();
  }

  /** Notes the use in the time of an empty file. A disk that takes no write does not stop the key. */
  #noteUse(id: string): void {
    const file = this.#useFile(id);
    const now = this.now();
    try {
      const last = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
      if (last !== undefined && Math.abs(now - last) < useIntervalMs) return;
      if (last === undefined) writeFileSync(file, '', { mode: 0o600 });
      utimesSync(file, now / 1_000, now / 1_000);
    } catch {
      // The next request tries again.
    }
  }

  #useFile(id: string): string {
    return join(this.folder, `${id}.used`);
  }
}

function isId(id: string): boolean {
  return /^[0-9a-f]{16}$/.test(id);
}

function digestOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
