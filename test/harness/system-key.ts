import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { Authority, FileKeyRing } from '../../src/shared/kernel/identity/index.ts';
import { newKeyPair } from '../../src/shared/kernel/identity/keys.ts';

interface Claim {
  /** In whose name a call is made. */
  readonly subject: string;
  readonly audience: string;
  /** Seconds from now. */
  readonly until?: number;
}

/** What a process of the system in `dataDir` can sign, and what a thief can who has the memory of one. */
export class SystemKey {
  readonly #authority: Authority;
  /** The name of the key that signs now. */
  readonly kid: string;

  constructor(dataDir: string) {
    const file = join(dataDir, 'keys', 'internal.json');
    this.#authority = new Authority(new FileKeyRing(file));
    this.kid = JSON.parse(readFileSync(file, 'utf8')).keys[0].kid;
  }

  /** A token as the home process signs it. */
  sign(claim: Claim, signer = this.#authority.signerFor('home')): Promise<string> {
    return tokenOf(claim, signer.header, signer.privateKey);
  }

  /** A token signed by somebody who has no key of the system and says that it is the system's. */
  forge(claim: Claim): Promise<string> {
    return tokenOf(claim, { kid: this.kid }, newKeyPair().privateKey);
  }

  /** A token signed with the key of the process of `module`, whatever it claims. */
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
