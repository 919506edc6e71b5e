// Checks of keys, tokens and certificates. They show names of files and no content.
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Prerequisites } from '../../src/shared/control/admin-contract/index.ts';
import { messageOf } from '../setup.mjs';
import { error, type Finding, ok, warning } from './check.ts';
import { octal } from './folder.ts';
import { dayMs, span } from './units.ts';

const othersMay = 0o077;
const secretSettings = ['INTERNAL_TLS_KEY', 'INTERNAL_IDENTITY'];

/** Checks that only the user of Kerf may read the files with secrets. */
export function secretFiles({ dataDir, files }: Prerequisites, user = process.getuid?.()): Finding[] {
  const named = files.filter(({ setting }) => secretSettings.includes(setting)).map(({ file }) => file);
  const tokens = ['operator-token', 'metrics-token', 'traces-token'].map((name) => join(dataDir, name));
  const secrets = [...tokens, ...keyFiles(dataDir), ...named].filter((file) => existsSync(file));
  const findings = secrets.flatMap((file): Finding[] => {
    const { mode, uid } = statSync(file);
    if (mode & othersMay)
      return [
        error(
          `others may read ${file} (mode ${octal(mode)})`,
          `chmod 600 ${file}; if others could log in here, replace the secret`,
        ),
      ];
    if (user !== undefined && uid !== user)
      return [warning(`${file} belongs to user ${uid}`, 'let the user that runs Kerf own it')];
    return [];
  });
  if (findings.length > 0) return findings;
  return [
    ok(
      secrets.length > 0
        ? `${secrets.length} files with secrets, for this user alone`
        : 'there are no secrets yet; the first start makes them',
    ),
  ];
}

function keyFiles(dataDir: string): string[] {
  const folder = join(dataDir, 'keys');
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .map((name) => join(folder, name))
    : [];
}

const keysSchema = z.object({ keys: z.array(z.object({ createdAt: z.coerce.date() })).min(1) });
const oldMs = 365 * dayMs;

/** Checks the age of the keys that sign. */
export function keyAges({ dataDir }: Prerequisites, now = Date.now()): Finding[] {
  return keyFiles(dataDir).map((file) => {
    const { data } = keysSchema.safeParse(json(file));
    if (!data)
      return error(
        `${file} holds no keys`,
        'restore it from a backup, or remove it to have new keys made: all sessions end then',
      );
    const [signing] = data.keys;
    const ageMs = now - (signing?.createdAt.getTime() ?? now);
    const what = `the key of ${file} is ${span(Math.max(0, ageMs))} old`;
    return ageMs > oldMs ? warning(what, 'npx kerf rotate-keys') : ok(what);
  });
}

function json(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

const soonMs = 14 * dayMs;

/** Checks until when a certificate is valid. `what` names it. */
export function validity(what: string, until: number, now: number, cure: string): Finding {
  const leftMs = until - now;
  const day = new Date(until).toISOString().slice(0, 10);
  if (leftMs <= 0) return error(`${what} ended on ${day}`, cure);
  const said = `${what} ends in ${span(leftMs)}, on ${day}`;
  return leftMs < soonMs ? warning(said, cure) : ok(said);
}

export const renewTls = 'issue a new certificate (docs/production.md, TLS) and start the processes again';

/** Checks the certificates of TLS in files: their time, and that the CA bundle of this process verifies its own certificate. */
export function certificateFiles({ files }: Prerequisites, now = Date.now()): Finding[] {
  const fileOf = (name: string) => files.find(({ setting }) => setting === name)?.file;
  const [cert, ca] = [fileOf('INTERNAL_TLS_CERT'), fileOf('INTERNAL_TLS_CA')];
  const [chain, bundle] = [cert, ca].map((file) => (file === undefined ? [] : certificatesIn(file)));
  const findings = [...unreadable('INTERNAL_TLS_CERT', cert, chain), ...unreadable('INTERNAL_TLS_CA', ca, bundle)];
  if (!Array.isArray(chain) || !Array.isArray(bundle)) return findings;
  if (cert) for (const each of chain) findings.push(...time(`INTERNAL_TLS_CERT: ${cert}`, each, now));
  // A bundle may have old certificates of other authorities: the issuer counts.
  const issuer = issuerOf(chain, bundle);
  if (ca && issuer) findings.push(...time(`INTERNAL_TLS_CA: ${ca}`, issuer, now));
  if (cert && ca)
    findings.push(
      issuer
        ? ok('INTERNAL_TLS_CA verifies INTERNAL_TLS_CERT')
        : error(
            'no certificate in INTERNAL_TLS_CA has issued that of INTERNAL_TLS_CERT',
            'name the CA bundle of the authority that issued it; processes refuse each other otherwise',
          ),
    );
  return findings;
}

function unreadable(
  setting: string,
  file: string | undefined,
  read: X509Certificate[] | string | undefined,
): Finding[] {
  if (typeof read !== 'string') return [];
  return [error(`${setting}: ${file} cannot be read (${read})`, 'name a file of certificates (PEM)')];
}

function time(what: string, { validFrom, validFromDate, validToDate }: X509Certificate, now: number): Finding[] {
  if (validFromDate.getTime() > now)
    return [error(`${what} is not valid before ${validFrom}`, 'set the clock, or issue a new certificate')];
  return [validity(what, validToDate.getTime(), now, renewTls)];
}

/** Returns the certificate of the bundle that has issued the last one of the chain. */
function issuerOf(chain: readonly X509Certificate[], bundle: readonly X509Certificate[]): X509Certificate | undefined {
  const last = chain.at(-1);
  return last && bundle.find((each) => last.checkIssued(each) && last.verify(each.publicKey));
}

/** Returns the certificates in a file, or why there are none. */
function certificatesIn(file: string): X509Certificate[] | string {
  try {
    const texts = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    return texts.length > 0 ? texts.map((text) => new X509Certificate(text)) : 'it holds no certificate';
  } catch (failed) {
    return messageOf(failed);
  }
}
