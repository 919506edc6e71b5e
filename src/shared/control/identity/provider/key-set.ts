import { createLocalJWKSet, type JSONWebKeySet, type JWK } from 'jose';
import { z } from 'zod';
import { fetchDocument, ProviderError } from './document.ts';

const maxKeys = 100;
/** The members of a private key, of any type (RFC 7518, 8037). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'];

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.string() });
const keySetSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(maxKeys) });

/** Finds the public key for the header of a token. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

/** The provider has published what only it may know, so none of its keys proves anything. */
export class CompromisedKeys extends ProviderError {}

/** Fetches the current public keys of an issuer. Rejects with a `ProviderError` when it is down, or is not to be believed. */
export async function fetchKeySet(issuer: string, timeoutMs?: number): Promise<KeySet> {
  const keysAt = await discover(issuer, timeoutMs);
  const { data } = keySetSchema.safeParse(await fetchDocument(keysAt, timeoutMs));
  if (!data) throw new ProviderError(`${keysAt} answers no set of at most ${maxKeys} keys`);
  refuseSecrets(keysAt, data.keys);
  const keys = data.keys.filter(({ use = 'sig', kty }) => use === 'sig' && typeof kty === 'string');
  if (keys.length === 0) throw new ProviderError(`${keysAt} has no key that verifies signatures`);
  return createLocalJWKSet({ keys: keys as JWK[] } satisfies JSONWebKeySet);
}

/** Returns the address of the keys (OpenID Connect Discovery 1.0). */
async function discover(issuer: string, timeoutMs?: number): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { data } = discoverySchema.safeParse(await fetchDocument(url, timeoutMs));
  if (!data) throw new ProviderError(`${url} does not name its issuer and its jwks_uri`);
  // Another issuer's document would let that issuer sign for this one.
  if (data.issuer !== issuer)
    throw new ProviderError(
      `${url} says that its issuer is ${quoted(data.issuer)}; OIDC_ISSUER must be the same to the letter`,
    );
  if (!isSafeUrl(data.jwks_uri, isLoopback(issuer)))
    throw new ProviderError(`${url} says that its keys are at ${quoted(data.jwks_uri)}, which must be https`);
  return data.jwks_uri;
}

function refuseSecrets(keysAt: string, keys: readonly Record<string, unknown>[]): void {
  const secret = keys.find((key) => key.kty === 'oct' || privateMembers.some((member) => Object.hasOwn(key, member)));
  if (secret)
    throw new CompromisedKeys(
      `${keysAt} publishes a ${secret.kty === 'oct' ? 'symmetric' : 'private'} key: whoever reads it can sign, so no key is believed`,
    );
}

/** Quotes what a provider says in one line, and not at length. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** Whether a URL is https, or http on this machine where `loopback` allows it; without a user and without a fragment. */
export function isSafeUrl(text: string, loopback: boolean): boolean {
  const url = URL.parse(text);
  if (!url || url.username || url.password || text.includes('#')) return false;
  return url.protocol === 'https:' || (loopback && url.protocol === 'http:' && isLoopback(text));
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(URL.parse(url)?.hostname ?? '');
}
