import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { messageOf, StartError } from '../../kernel/errors/index.ts';
import type { TlsMaterial } from '../../kernel/ports/index.ts';
import type { KernelSettings } from '../topology/index.ts';

/** Reads the TLS files of the settings. Throws a `StartError` when a setting lacks its counterpart, or a file is unusable. */
export function readTls(settings: KernelSettings): TlsMaterial {
  const { INTERNAL_TLS_CERT: cert, INTERNAL_TLS_KEY: key, INTERNAL_TLS_CA: ca, INTERNAL_TLS_MUTUAL: mutual } = settings;
  if ((cert === undefined) !== (key === undefined))
    throw new StartError('settings INTERNAL_TLS_CERT and INTERNAL_TLS_KEY: one needs the other; set both, or neither');
  if (mutual && (!cert || !ca))
    throw new StartError('setting INTERNAL_TLS_MUTUAL: needs INTERNAL_TLS_CERT, INTERNAL_TLS_KEY and INTERNAL_TLS_CA');
  const certs = readPem('INTERNAL_TLS_CERT', cert);
  const own = readPem('INTERNAL_TLS_KEY', key);
  if (certs && own) refuseNoPair(certs, own);
  const believed = readPem('INTERNAL_TLS_CA', ca);
  if (believed) readCertificate(believed);
  return { cert: certs?.pem, key: own?.pem, ca: believed?.pem, mutual };
}

/** Returns why other processes refuse the certificates at `now`; `undefined` while these are valid. */
export function whyNotValid({ cert, ca }: TlsMaterial, now: Date): string | undefined {
  const named = [
    { setting: 'INTERNAL_TLS_CERT', pem: cert },
    { setting: 'INTERNAL_TLS_CA', pem: ca },
  ];
  for (const { setting, pem } of named) {
    const read = pem && new X509Certificate(pem);
    if (!read) continue;
    const cure = 'processes refuse each other by it: name a new one, and start them again';
    if (now > read.validToDate) return `the certificate of ${setting} was valid until ${read.validTo}; ${cure}`;
    if (now < read.validFromDate)
      return `the certificate of ${setting} is not valid before ${read.validFrom}; is the clock right? ${cure}`;
  }
  return undefined;
}

interface Pem {
  readonly setting: string;
  readonly file: string;
  readonly pem: Buffer;
}

function readPem(setting: string, file: string | undefined): Pem | undefined {
  if (!file) return undefined;
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    throw new StartError(`setting ${setting}: ${file} cannot be read (${messageOf(error)})`, { cause: error });
  }
  if (pem.includes('-----BEGIN')) return { setting, file, pem };
  throw new StartError(`setting ${setting}: ${file} holds no PEM; it begins with -----BEGIN`);
}

/** Refuses a certificate and a key that are of the wrong kinds or do not belong together. */
function refuseNoPair(cert: Pem, key: Pem): void {
  if (!holds(cert, 'CERTIFICATE') && holds(cert, 'PRIVATE KEY') && holds(key, 'CERTIFICATE')) {
    throw new StartError(
      `settings INTERNAL_TLS_CERT and INTERNAL_TLS_KEY seem swapped: ${cert.file} holds a key, and ${key.file} a certificate; exchange them`,
    );
  }
  const certificate = readCertificate(cert);
  if (!certificate.checkPrivateKey(readKey(key))) {
    throw new StartError(
      `settings INTERNAL_TLS_CERT and INTERNAL_TLS_KEY: ${key.file} is not the key of the certificate in ${cert.file}; name two that belong together`,
    );
  }
  // TLS has further requirements, such as a minimum length of the key.
  read(cert, 'certificate that TLS takes with its key', () => createSecureContext({ cert: cert.pem, key: key.pem }));
}

function readCertificate(part: Pem): X509Certificate {
  if (!holds(part, 'CERTIFICATE') && holds(part, 'PRIVATE KEY'))
    throw new StartError(`setting ${part.setting}: ${part.file} holds a key; name the file of a certificate`);
  return read(part, 'certificate', () => new X509Certificate(part.pem));
}

function readKey(part: Pem) {
  if (holds(part, 'ENCRYPTED')) {
    throw new StartError(
      `setting ${part.setting}: the key in ${part.file} is encrypted, and nobody can be asked for its passphrase; write it in the clear (openssl pkey -in … -out …), readable by this process alone`,
    );
  }
  if (!holds(part, 'PRIVATE KEY') && holds(part, 'CERTIFICATE'))
    throw new StartError(`setting ${part.setting}: ${part.file} holds a certificate; name the file of its key`);
  return read(part, 'private key', () => createPrivateKey(part.pem));
}

function holds({ pem }: Pem, what: string): boolean {
  return new RegExp(`^-----BEGIN [A-Z0-9 ]*${what}|^Proc-Type: 4,${what}`, 'm').test(pem.toString('latin1'));
}

function read<T>({ setting, file }: Pem, wanted: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const why = messageOf(error);
    throw new StartError(`setting ${setting}: ${file} holds no ${wanted} (${why})`, {
      cause: error,
    });
  }
}
