import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { Authority, FileKeyRing } from '../../src/shared/control/identity/index.ts';
import { newKeyPair } from '../../src/shared/control/identity/keys.ts';

interface Claim {
  /** The caller that the token names. */
  readonly subject: string;
  readonly audience: string;
  /** Seconds from now. */
  readonly until?: number;
}

/** Signs tokens like a process of the system in `dataDir`, or like a thief with the memory of one process. */
export class SystemKey {
  readonly #authority: Authority;
  /** The name of the current signing key. */
  readonly kid: string;

  constructor(dataDir: string) {
    const file = join(dataDir, 'keys', 'internal.json');
    this.#authority = new Authority(new FileKeyRing(file));
    this.kid = JSON.parse(readFileSync(file, 'utf8')).keys[0].kid;
  }

  /** Signs a token as the home process does. */
  sign(claim: Claim, signer = this.#authority.signerFor('home')): Promise<string> {
    return tokenOf(claim, signer.header, signer.privateKey);
  }

  /** Signs a token with a foreign key under the name of the system's key. */
  forge(claim: Claim): Promise<string> {
    return tokenOf(claim, { kid: this.kid }, newKeyPair().privateKey);
  }

  /** Signs a token with the key of `module`'s process, whatever the token claims. */
  async signAs(module: string, claim: Claim): Promise<string> {
    const { privateKey, publicKey } = newKeyPair();
    const { certificate } = await this.#authority.enrol(publicKey, [module]);
    return tokenOf(claim, { crt: certificate }, privateKey);
  }
}

function tokenOf({ subject, audience, until = 60 }: Claim, header: object, key: Parameters<SignJWT['sign']>[0]) {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'EdDSA', ...header })
    .setIssuer(subject)
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + until)
    .sign(key);
}
