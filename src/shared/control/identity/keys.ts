import { createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto';

/** An Ed25519 public key as a JSON Web Key (RFC 8037). Tokens refer to it by its `kid`, if it has one. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid?: string | undefined;
}

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: PublicJwk;
}

/** The prefix of the 32 bytes of a private Ed25519 key in PKCS #8 (RFC 8410). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Derives a key pair from random bytes. The same bytes and use give the same pair in every process. Do not pass a secret that a
 * person has chosen: the public key would let an attacker test guesses.
 */
export function keyPairOf(secret: Uint8Array, use: string): KeyPair {
  return keyPairFrom(Buffer.from(hkdfSync('sha256', secret, '', `kerf ${use}`, 32)));
}

/** Makes a new key pair, which only this process has. */
export function newKeyPair(): KeyPair {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: publicJwkOf(privateKey) };
}

/** Reads a key pair from the 32 bytes of its private key. */
export function keyPairFrom(seed: Uint8Array): KeyPair {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: publicJwkOf(privateKey) };
}

/** Returns the 32 bytes of a private key. Store them where only the owner can read them. */
export function seedOf({ privateKey }: KeyPair): Buffer {
  return privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(pkcs8.length);
}

/** Converts a JSON Web Key. Throws when it is not an Ed25519 public key. */
export function publicKeyOf({ kty, crv, x }: PublicJwk): KeyObject {
  return createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
}

function publicJwkOf(privateKey: KeyObject): PublicJwk {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', x: x! };
}
