import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { StartError } from '../errors/index.ts';
import { bearer } from './bearer.ts';
import { keepSecret, readSecret } from './secret-file.ts';

/** The operator's bearer token: the setting's, or the one in the data folder (mode 0600), made on first use. */
export function operatorToken(dataDir: string, setting: string | undefined): string {
  if (setting) return usable(setting, 'OPERATOR_TOKEN');
  const file = join(dataDir, 'operator-token');
  keepSecret(file, () => `${randomBytes(32).toString('base64url')}\n`);
  return usable(readSecret(file).trim(), file);
}

function usable(token: string, where: string): string {
  if (bearer(`Bearer ${token}`) === token && token.length >= 16) return token;
  throw new StartError(
    `${where}: a token has at least 16 letters, digits, or any of - . _ ~ + /; remove it to have one made`,
  );
}

/** Compares without telling by its time how much was right. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
