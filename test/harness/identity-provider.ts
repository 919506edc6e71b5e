import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
// @ts-expect-error: the package has no declarations.
import Provider from 'oidc-provider';

/** The audience of the tokens that are for the shop. */
export const shopAudience = 'https://shop.example';

/** The programs that get tokens, and the roles that the provider writes into them. */
const clients: Record<string, string[]> = { ann: ['catalog-editor', 'of-another-system'], bob: [] };

/** An OpenID Connect provider on loopback: the package `oidc-provider`, with the grant for programs. */
export class IdentityProvider {
  readonly issuer: string;
  readonly #server: Server;
  #listener: RequestListener = () => {};
  #kid = 0;
  #keys: JWK[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => this.#listener(request, response));
  }

  static async start(): Promise<IdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const provider = new IdentityProvider(server);
    await provider.rotate();
    return provider;
  }

  /** Signs with a new key from now on, and publishes it alone. */
  async rotate(alg: 'RS256' | 'ES256' = 'RS256'): Promise<void> {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    this.#kid += 1;
    this.#keys = [{ ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `key-${this.#kid}` }];
    this.up();
  }

  /** Answers as the package does. */
  up(): void {
    const provider = new Provider(this.issuer, configuration(this.#keys));
    this.#listener = provider.callback();
  }

  /** Answers nothing but 503, as a proxy does whose provider is down. */
  down(): void {
    this.#listener = (_, response) => response.writeHead(503).end();
  }

  /** Resolves with an access token of a client. Another `audience` is that of another system. */
  async token(client: string, audience = shopAudience): Promise<string> {
    const answer = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${client}:secret-of-${client}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'shop', resource: audience }),
    });
    const { access_token } = (await answer.json()) as { access_token?: string };
    if (!access_token) throw new Error(`the provider answered ${answer.status}`);
    return access_token;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function configuration(keys: JWK[]) {
  const alg = keys[0]!.alg;
  return {
    jwks: { keys },
    clients: Object.keys(clients).map((name) => ({
      ...{ client_id: name, client_secret: `secret-of-${name}`, grant_types: ['client_credentials'] },
      ...{ redirect_uris: [], response_types: [], id_token_signed_response_alg: alg },
    })),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          ...{ scope: 'shop', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg } } },
        }),
      },
    },
    ttl: { ClientCredentials: 600 },
    extraTokenClaims: (_: unknown, { clientId }: { clientId: string }) => ({
      realm_access: { roles: clients[clientId] },
    }),
  };
}
