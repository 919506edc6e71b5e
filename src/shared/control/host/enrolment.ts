import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { background, steadyClock } from '../../kernel/context/index.ts';
import { messageOf, StartError } from '../../kernel/errors/index.ts';
import type { TlsMaterial } from '../../kernel/ports/index.ts';
import {
  Authority,
  type Enrol,
  FileKeyRing,
  fixedKeyRing,
  type Identity,
  ProcessIdentity,
  type Publication,
  type PublicJwk,
  readIdentity,
  readPublication,
  type WrittenIdentity,
} from '../identity/index.ts';
import { enrolAtParent, enrolsAtParent } from '../supervisor/index.ts';
import type { KernelSettings, Topology } from '../topology/index.ts';

/** Where the home process publishes the system's public keys. */
export const publicationPath = '/keys';
/** The query of a request for the keys. The home process also signs the nonce, which proves that the answer is new. */
export const publicationQuery = z.object({ nonce: z.string().max(64).optional() });
const publicationWithinMs = 1_000;
const lookEveryMs = 1_000;
const publicationSchema = z.object({ signed: z.array(z.string()) });

/**
 * Gives this process its identity. The home process has the system's secrets, and enrolls its module processes over the IPC channel. A
 * process that somebody else starts reads its identity from a file, or enrolls itself with the system's secrets and keeps none of them.
 */
export async function openIdentity({ settings, only, homeAddress }: Topology, tls: TlsMaterial): Promise<Identity> {
  if (!only) {
    const authority = openAuthority(settings);
    background.setInterval(() => void authority.renew(), lookEveryMs).unref();
    return authority;
  }
  if (enrolsAtParent()) return enrolAtParent(only);
  const published = (known: readonly PublicJwk[]) => publicationAt(homeAddress, tls, known);
  const { INTERNAL_IDENTITY: file } = settings;
  const enrol = file === undefined ? enrolSelf(settings, only, published) : enrolByFile(file, only, published);
  const identity = await ProcessIdentity.open(only, enrol);
  whenChanged(file ?? keyFile(settings), () => void identity.renewAnew());
  return identity;
}

/** Opens the system's secrets, from the setting or from the data folder. */
export function openAuthority(settings: KernelSettings, now?: () => number): Authority {
  const { INTERNAL_KEY } = settings;
  const keys = INTERNAL_KEY ? fixedKeyRing('INTERNAL_KEY', INTERNAL_KEY) : new FileKeyRing(keyFile(settings));
  return new Authority(keys, now);
}

type Published = (known: readonly PublicJwk[]) => Promise<Publication | undefined>;

function enrolSelf(settings: KernelSettings, only: readonly string[], published: Published): Enrol {
  return async (publicKey) => {
    const publication = await published(openAuthority(settings).publicKeys());
    const authority = openAuthority(settings, () => publication?.now ?? steadyClock.now());
    return { ...(await authority.enrol(publicKey, only)), now: publication?.now };
  };
}

/** Enrolls by the file and the home process's publication. Rejects when neither is new: the current identity stays in use. */
function enrolByFile(file: string, only: readonly string[], published: Published): Enrol {
  let certificate: string | undefined;
  return async () => {
    const written = identityIn(file, only);
    const publication = await published(written.keys);
    if (!publication && written.certificate === certificate) throw new Error('the home process tells nothing new');
    certificate = written.certificate;
    return { ...written, ...publication };
  };
}

function identityIn(file: string, only: readonly string[]): WrittenIdentity {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(`setting INTERNAL_IDENTITY: ${file} cannot be read (${messageOf(error)})`, { cause: error });
  }
  const written = readIdentity(file, text);
  const missing = only.filter((module) => !written.modules.includes(module));
  if (missing.length === 0) return written;
  throw new StartError(
    `setting INTERNAL_IDENTITY: ${file} is the identity of ${written.modules.join(', ')}; make one of ${missing.join(', ')}`,
  );
}

function keyFile({ DATA_DIR }: KernelSettings): string {
  return join(DATA_DIR, 'keys', 'internal.json');
}

/** Calls `listener` within a second after the file has changed. */
function whenChanged(file: string, listener: () => void): void {
  const changedAt = () => statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  let last = changedAt();
  const look = () => {
    const now = changedAt();
    if (now !== last) listener();
    last = now;
  };
  background.setInterval(look, lookEveryMs).unref();
}

/** Fetches the home process's publication, as far as one of the `known` keys signed it; `undefined` on any failure. */
async function publicationAt(homeAddress: string, { cert, key, ca }: TlsMaterial, known: readonly PublicJwk[]) {
  const send = homeAddress.startsWith('https:') ? tlsRequest : plainRequest;
  const signal = AbortSignal.timeout(publicationWithinMs);
  const nonce = randomBytes(16).toString('base64url');
  const url = `${homeAddress}${publicationPath}?nonce=${nonce}`;
  try {
    const answer = await new Promise<unknown>((resolve, reject) => {
      const request = send(url, { cert, key, ca, signal }, (response) => {
        json(response).then(resolve, reject);
      });
      request.once('error', reject).end();
    });
    return await readPublication(publicationSchema.parse(answer).signed, known, nonce);
  } catch {
    return undefined;
  }
}
