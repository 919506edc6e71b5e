import { createHash, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { z } from 'zod';
import { StartError } from '../errors/index.ts';
import { keepSecret, readSecret, replaceSecret } from './secret-file.ts';

const fileSchema = z.object({
  keys: z.array(z.object({ kid: z.string(), secret: z.string().min(43), createdAt: z.string() })).min(1),
});

export interface Key {
  readonly kid: string;
  readonly secret: Uint8Array;
}

/** Keys that sign and verify. The newest signs; the ones before it still verify, so that rotation fails nobody. */
export interface KeyRing {
  signing(): Key;
  find(kid: string): Key | undefined;
  /** All that verify, the signing one first. */
  all(): readonly Key[];
}

/** Secrets given from outside, separated by commas, the signing one first. Each at least 32 characters. */
export function fixedKeyRing(setting: string, value: string): KeyRing {
  const keys = value.split(',').map((secret, index) => {
    if (secret.length < 32) throw new StartError(`${setting}: secret ${index + 1} is shorter than 32 characters`);
    return { kid: createHash('sha256').update(secret).digest('hex').slice(0, 16), secret: Buffer.from(secret) };
  });
  return { signing: () => keys[0]!, find: (kid) => keys.find((key) => key.kid === kid), all: () => keys };
}

/** Keys kept in a file of the data folder (mode 0600), made on first use and read again when the file changes. */
export class FileKeyRing implements KeyRing {
  #keys: Key[] = [];
  #readVersion = '';
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
    keepSecret(file, firstKeys);
    this.#refresh();
  }

  signing(): Key {
    this.#refresh();
    return this.#keys[0]!;
  }

  all(): readonly Key[] {
    this.#refresh();
    return this.#keys;
  }

  find(kid: string): Key | undefined {
    // Also when the key is known: it may have been revoked.
    this.#refresh();
    return this.#keys.find((key) => key.kid === kid);
  }

  #refresh(): void {
    try {
      const { mtimeMs, ino } = statSync(this.file);
      const version = `${ino} ${mtimeMs}`;
      if (version === this.#readVersion) return;
      this.#keys = readKeys(this.file).map(({ kid, secret }) => ({ kid, secret: Buffer.from(secret, 'base64url') }));
      this.#readVersion = version;
    } catch (error) {
      // A file that is damaged under a running process is no reason to stop: the keys that are known still serve.
      if (this.#keys.length === 0) throw error;
    }
  }
}

/**
 * Puts a new signing key first in each of the files, and keeps the `keep` latest of the old ones for what they have signed. Returns
 * the new keys' names. One that cannot be read leaves all files as they are.
 */
export function rotate(files: readonly string[], keep = 2): string[] {
  const rotated = files.map((file) => {
    keepSecret(file, firstKeys);
    return { file, fresh: newKey(), old: readKeys(file).slice(0, keep) };
  });
  for (const { file, fresh, old } of rotated) replaceSecret(file, serialize([fresh, ...old]));
  return rotated.map(({ fresh }) => fresh.kid);
}

function readKeys(file: string) {
  const text = readSecret(file);
  try {
    return fileSchema.parse(JSON.parse(text)).keys;
  } catch (error) {
    throw new StartError(`${file} does not hold keys; restore it, or remove it to have new ones made`, {
      cause: error,
    });
  }
}

function firstKeys(): string {
  return serialize([newKey()]);
}

function newKey() {
  const createdAt = new Date().toISOString();
  return { kid: randomBytes(8).toString('hex'), secret: randomBytes(32).toString('base64url'), createdAt };
}

function serialize(keys: unknown[]): string {
  return `${JSON.stringify({ keys }, null, 2)}\n`;
}
