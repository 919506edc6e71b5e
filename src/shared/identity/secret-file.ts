import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const othersMay = 0o077;

/**
 * Makes a file that holds a secret, on first use. Nobody but this user may read it (mode 0600), also when it came here otherwise,
 * as from a backup.
 */
export function keepSecret(file: string, made: () => string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, made(), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error;
    if (statSync(file).mode & othersMay) chmodSync(file, 0o600);
  }
}
