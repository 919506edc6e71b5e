import { z } from 'zod';
import { StartError } from '../../kernel/errors/index.ts';
import type { Authority } from './authority.ts';
import { publicJwkSchema } from './certificate.ts';
import type { Enrolment } from './identity.ts';
import { type KeyPair, keyPairFrom, newKeyPair, seedOf } from './keys.ts';

/** A copy of the file can act as these modules until it expires. A year is long enough to renew it with the machine. */
const lifeMs = 365 * 24 * 60 * 60_000;
const fileSchema = z.object({
  modules: z.array(z.string()).min(1),
  privateKey: z.string().length(43),
  certificate: z.string(),
  keys: z.array(publicJwkSchema).min(1),
});

export interface WrittenIdentity extends Omit<Enrolment, 'now'> {
  readonly modules: readonly string[];
  readonly pair: KeyPair;
}

/** Returns the text of an identity file, for a process that runs these modules without access to the system's secrets. */
export async function writeIdentity(authority: Authority, modules: readonly string[]): Promise<string> {
  const pair = newKeyPair();
  const { certificate, keys } = await authority.enrol(pair.publicKey, modules, lifeMs);
  const privateKey = seedOf(pair).toString('base64url');
  return `${JSON.stringify({ modules, privateKey, certificate, keys }, null, 2)}\n`;
}

/** Reads an identity file. Throws a `StartError` when the text is invalid. The error names `file`, but shows none of its text. */
export function readIdentity(file: string, text: string): WrittenIdentity {
  try {
    const { privateKey, ...written } = fileSchema.parse(JSON.parse(text));
    return { ...written, pair: keyPairFrom(Buffer.from(privateKey, 'base64url')) };
  } catch {
    throw new StartError(`${file} holds no identity; make one where the home process runs: npx kerf identity payments`);
  }
}
