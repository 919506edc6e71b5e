import { createHash, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { z } from 'zod';
import { StartError } from '../../kernel/errors/index.ts';
import { keepSecret, readSecret, replaceSecret } from './secret-file.ts';

const fileSchema = z.object({
  keys: z.array(z.object({ kid: z.string(), secret: z.string().min(43), createdAt: z.string() })).min(1),
});

export interface Key {
  readonly kid: string;
  readonly secret: Uint8Array;
}

/** Keys that sign and verify. The newest key signs. Older keys still verify, so that a rotation breaks no valid signature. */
export interface KeyRing {
  signing(): Key;
  find(kid: string): Key | undefined;
  /** Returns all keys that verify, the signing key first. */
  all(): readonly Key[];
}

/** Reads keys from a setting: secrets separated by commas, the signing one first. Each must have at least 32 characters. */
export function fixedKeyRing(setting: string, value: string): KeyRing {
  const keys = value.split(',').map((secret, index) => {
    if (secret.length < 32) throw new StartError(`${setting}: secret ${index + 1} is shorter than 32 characters`);
    return { kid: createHash('sha256').update(secret).digest('hex').slice(0, 16), secret: Buffer.from(secret) };
  });
  return { signing: () => keys[0]!, find: (kid) => keys.find((key) => key.kid === kid), all: () => keys };
}

/** Keeps keys in a file of the data folder (mode 0600). Creates the file on first use, and reads it again when it changes. */
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
    // Refreshes even when the key is known: it may have been revoked.
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
      // A running process survives a damaged file: it continues with the known keys.
      if (this.#keys.length === 0) throw error;
    }
  }
}

/**
 * Puts a new signing key first in each file, and keeps the `keep` latest old keys to verify earlier signatures. Returns the ids of
 * the new keys. Rotates no file when one of them cannot be read.
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
