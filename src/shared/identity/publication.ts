import { decodeProtectedHeader, jwtVerify } from 'jose';
import { z } from 'zod';
import { algorithms, publicationType, publicJwkSchema } from './certificate.ts';
import { type PublicJwk, publicKeyOf } from './keys.ts';

const claimsSchema = z.object({ keys: z.array(publicJwkSchema).min(1), now: z.number() });

/** The system's public keys and its time, as the home process publishes them. */
export interface Publication {
  readonly keys: readonly PublicJwk[];
  readonly now: number;
}

/** Reads the publication that a key signed which is known already: so one that knows an old key learns the newer ones. */
export async function readPublication(
  signed: readonly string[],
  known: readonly PublicJwk[],
): Promise<Publication | undefined> {
  for (const text of signed) {
    const { kid } = decodeProtectedHeader(text);
    const key = known.find((each) => each.kid === kid);
    if (!key) continue;
    const { payload } = await jwtVerify(text, publicKeyOf(key), { algorithms, typ: publicationType });
    return claimsSchema.parse(payload);
  }
  return undefined;
}
