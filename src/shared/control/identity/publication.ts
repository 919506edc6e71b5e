import { decodeProtectedHeader, jwtVerify } from 'jose';
import { z } from 'zod';
import { algorithms, publicationType, publicJwkSchema } from './certificate.ts';
import { type PublicJwk, publicKeyOf } from './keys.ts';

const claimsSchema = z.object({ keys: z.array(publicJwkSchema).min(1), now: z.number(), nonce: z.string() });

/** The system's public keys and its time, as the home process publishes them. */
export interface Publication {
  readonly keys: readonly PublicJwk[];
  readonly now: number;
}

/**
 * Reads the publication that a known key signed, so that a process with an old key learns the newer keys. Throws when it lacks the
 * `nonce` of the question: a replayed publication would bring back old keys and an old time.
 */
export async function readPublication(
  signed: readonly string[],
  known: readonly PublicJwk[],
  nonce: string,
): Promise<Publication | undefined> {
  for (const text of signed) {
    const { kid } = decodeProtectedHeader(text);
    const key = known.find((each) => each.kid === kid);
    if (!key) continue;
    const { payload } = await jwtVerify(text, publicKeyOf(key), { algorithms, typ: publicationType });
    const { nonce: answered, ...publication } = claimsSchema.parse(payload);
    if (answered !== nonce) throw new Error('the publication answers another question');
    return publication;
  }
  return undefined;
}
