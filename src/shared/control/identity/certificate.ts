import type { KeyObject } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Identity } from './identity.ts';
import { publicKeyOf } from './keys.ts';

/** The type in each kind of signed text, so that one kind cannot pass as another (RFC 8725). */
export const certificateType = 'kerf-certificate';
export const publicationType = 'kerf-keys';
export const algorithms = ['EdDSA'];
/** Tolerated difference between the clocks of two machines. */
export const toleranceSeconds = 5;

export const publicJwkSchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().length(43),
  kid: z.string().optional(),
});
const claimsSchema = z.object({ names: z.array(z.string()).min(1), cnf: z.object({ jwk: publicJwkSchema }) });

/** The key that verifies a signed text, and the names in which that key may sign. */
export interface Proof {
  readonly key: KeyObject;
  /** Undefined for a key of the system, which may sign in every name. */
  readonly names: readonly string[] | undefined;
}

/** Finds the key to verify `text`: a key of the system, or the key in the certificate of `text`. Throws for any other key. */
export async function proofOf(text: string, identity: Identity): Promise<Proof> {
  const { kid, crt } = decodeProtectedHeader(text);
  if (typeof crt !== 'string') return { key: systemKey(identity, kid), names: undefined };
  const { payload } = await jwtVerify(crt, (header) => systemKey(identity, header.kid), {
    ...{ algorithms, typ: certificateType, currentDate: new Date(identity.now()) },
    ...{ clockTolerance: toleranceSeconds, requiredClaims: ['exp'] },
  });
  const { names, cnf } = claimsSchema.parse(payload);
  return { key: publicKeyOf(cnf.jwk), names };
}

export class UnknownKey extends Error {}

function systemKey(identity: Identity, kid: string | undefined): KeyObject {
  const key = identity.systemKey(kid ?? '');
  if (!key) throw new UnknownKey(`the key ${kid} is none of this system`);
  return key;
}
