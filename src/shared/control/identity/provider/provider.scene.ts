import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';

/** A signing key of a provider, and its public part. */
export interface SigningKey {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function newKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** A provider that answers whatever a test wants, also lies. */
export class FakeProvider {
  /** Path → the answer. */
  readonly pages = new Map<string, RequestListener>();
  /** The paths that were asked for. */
  readonly asked: string[] = [];
  readonly issuer: string;
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      this.asked.push(request.url!);
      const page = this.pages.get(request.url!);
      if (page) page(request, response);
      else response.writeHead(404).end();
    });
  }

  static async start(...keys: SigningKey[]): Promise<FakeProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const provider = new FakeProvider(server);
    onTestFinished(() => provider.stop());
    provider.discovery();
    provider.publish(...keys.map(({ jwk }) => jwk));
    return provider;
  }

  discovery(changes: object = {}): void {
    this.json('/.well-known/openid-configuration', {
      ...{ issuer: this.issuer, jwks_uri: `${this.issuer}/keys` },
      ...changes,
    });
  }

  publish(...keys: object[]): void {
    this.json('/keys', { keys });
  }

  json(path: string, content: unknown): void {
    this.pages.set(path, (_, response) => response.end(JSON.stringify(content)));
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Makes a token that this provider would make, with changes. */
  async token(key: SigningKey, claims: JWTPayload = {}, header: object = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    return new SignJWT({ iss: this.issuer, aud: 'shop', sub: 'ann', exp: now + 300, ...claims })
      .setProtectedHeader({ alg: key.alg, kid: key.jwk.kid!, typ: 'at+jwt', ...header })
      .sign(key.privateKey);
  }
}
