import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { messageOf, StartError } from '../errors/index.ts';
import type { KernelSettings } from '../topology/index.ts';
import type { TlsParts } from '../transport/index.ts';

/** Reads what the settings name. Throws a `StartError` when one lacks another, or a file holds nothing of use. */
export function readTls(settings: KernelSettings): TlsParts {
  const { INTERNAL_TLS_CERT: cert, INTERNAL_TLS_KEY: key, INTERNAL_TLS_CA: ca, INTERNAL_TLS_MUTUAL: mutual } = settings;
  if ((cert === undefined) !== (key === undefined))
    throw new StartError('settings INTERNAL_TLS_CERT and INTERNAL_TLS_KEY: one needs the other; set both, or neither');
  if (mutual && (!cert || !ca))
    throw new StartError('setting INTERNAL_TLS_MUTUAL: needs INTERNAL_TLS_CERT, INTERNAL_TLS_KEY and INTERNAL_TLS_CA');
  const pair = { cert: readPem('INTERNAL_TLS_CERT', cert), key: readPem('INTERNAL_TLS_KEY', key) };
  const believed = readPem('INTERNAL_TLS_CA', ca);
  check('settings INTERNAL_TLS_CERT and INTERNAL_TLS_KEY: a certificate and its own key', () =>
    createSecureContext(pair),
  );
  if (believed) check('setting INTERNAL_TLS_CA: certificates', () => new X509Certificate(believed));
  return { ...pair, ca: believed, mutual };
}

function check(wanted: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    throw new StartError(`${wanted} are needed, and this is something else (${messageOf(error)})`, { cause: error });
  }
}

function readPem(setting: string, file: string | undefined): Buffer | undefined {
  if (!file) return undefined;
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    throw new StartError(`setting ${setting}: ${file} cannot be read (${messageOf(error)})`, { cause: error });
  }
  if (text.includes('-----BEGIN')) return text;
  throw new StartError(`setting ${setting}: ${file} holds no PEM; it begins with -----BEGIN`);
}
