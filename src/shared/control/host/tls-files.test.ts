import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, describe, expect, it } from 'vitest';
import { StartError } from '../../kernel/errors/index.ts';
import { type KernelSettings, kernelSettings } from '../topology/index.ts';
import { readTls, whyNotValid } from './tls-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'kerf-tls-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [notBeforeDate, notAfterDate] = [new Date('2026-01-02T00:00:00Z'), new Date('2026-03-04T00:00:00Z')];
const [ours, others] = await Promise.all([pair('ours'), pair('others')]);
const secret = createPrivateKey(readFileSync(ours.key));
const encrypted = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hush' } as const;
const files = {
  both: write('both.pem', `${readFileSync(ours.cert, 'utf8')}\n${readFileSync(ours.key, 'utf8')}`),
  damaged: write('damaged.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
  damagedKey: write('damaged-key.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'),
  encrypted: write('encrypted.pem', secret.export({ ...encrypted, type: 'pkcs8' }) as string),
  encryptedAsBefore: write('encrypted-ec.pem', secret.export({ ...encrypted, type: 'sec1' }) as string),
};

async function pair(name: string): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: name }], { keyType: 'ec', notBeforeDate, notAfterDate });
  return { cert: write(`${name}.cert.pem`, made.cert), key: write(`${name}.key.pem`, made.private) };
}

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function settings(cert?: string, key?: string, ca?: string): KernelSettings {
  return kernelSettings.parse({ INTERNAL_TLS_CERT: cert, INTERNAL_TLS_KEY: key, INTERNAL_TLS_CA: ca });
}

describe('the files of TLS', () => {
  it('can be none, a CA alone, a pair, or both in one file', () => {
    expect(readTls(settings())).toEqual({ mutual: false });
    expect(readTls(settings(undefined, undefined, ours.cert))).toEqual({ mutual: false, ca: readFileSync(ours.cert) });
    const read = readTls(settings(ours.cert, ours.key, others.cert));
    expect([read.cert, read.key, read.ca]).toEqual(
      [ours.cert, ours.key, others.cert].map((each) => readFileSync(each)),
    );
    expect(readTls(settings(files.both, files.both)).key).toEqual(readFileSync(files.both));
  });

  const both = 'settings INTERNAL_TLS_CERT and INTERNAL_TLS_KEY';
  it.each<[about: string, settings: KernelSettings, message: string]>([
    [
      'are swapped',
      settings(ours.key, ours.cert),
      `${both} seem swapped: ours.key.pem holds a key, and ours.cert.pem a `,
    ],
    [
      'are two certificates',
      settings(ours.cert, ours.cert),
      'INTERNAL_TLS_KEY: ours.cert.pem holds a certificate; name ',
    ],
    [
      'are two keys',
      settings(ours.key, ours.key),
      'setting INTERNAL_TLS_CERT: ours.key.pem holds a key; name the file of ',
    ],
    [
      'do not match',
      settings(ours.cert, others.key),
      `${both}: others.key.pem is not the key of the certificate in ours.ce`,
    ],
    [
      'have a damaged certificate',
      settings(files.damaged, ours.key),
      'INTERNAL_TLS_CERT: damaged.pem holds no certificate ',
    ],
    [
      'have a damaged key',
      settings(ours.cert, files.damagedKey),
      'INTERNAL_TLS_KEY: damaged-key.pem holds no private key (',
    ],
    [
      'have an encrypted key',
      settings(ours.cert, files.encrypted),
      'INTERNAL_TLS_KEY: the key in encrypted.pem is encrypt',
    ],
    [
      'have an old encrypted key',
      settings(ours.cert, files.encryptedAsBefore),
      'the key in encrypted-ec.pem is encrypted',
    ],
    [
      'have a key instead of a CA',
      settings(undefined, undefined, ours.key),
      'INTERNAL_TLS_CA: ours.key.pem holds a key;',
    ],
    ['have a damaged CA', settings(undefined, undefined, files.damaged), 'INTERNAL_TLS_CA: damaged.pem holds no cert'],
  ])('are refused with their names when they %s', (_about, given, message) => {
    expect(() => readTls(given)).toThrow(StartError);
    expect(messageFor(given)).toContain(message);
  });

  it('are valid during the validity of their certificates, and otherwise the error names the invalid one', () => {
    const tls = readTls(settings(ours.cert, ours.key, others.cert));
    expect(whyNotValid(tls, notBeforeDate)).toBeUndefined();
    expect(whyNotValid(tls, notAfterDate)).toBeUndefined();
    expect(whyNotValid({}, notAfterDate)).toBeUndefined();
    const [early, late] = [new Date(notBeforeDate.getTime() - 1), new Date(notAfterDate.getTime() + 1)];
    expect(whyNotValid(tls, late)).toMatch(
      /^the certificate of INTERNAL_TLS_CERT was valid until Mar +4 .*2026 GMT; pro/,
    );
    expect(whyNotValid(tls, early)).toMatch(
      /^the certificate of INTERNAL_TLS_CERT is not valid before Jan +2 .*2026 GMT; i/,
    );
    expect(whyNotValid({ ca: tls.ca }, late)).toMatch(/^the certificate of INTERNAL_TLS_CA was valid until Mar +4 /);
  });
});

function messageFor(given: KernelSettings): string {
  try {
    readTls(given);
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  throw new Error('they were taken');
}
