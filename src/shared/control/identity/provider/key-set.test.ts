import { exportJWK } from 'jose';
import { expect, it } from 'vitest';
import { fetchKeySet, isSafeUrl } from './key-set.ts';
import { FakeProvider, newKey } from './provider.scene.ts';

const discoveryPath = '/.well-known/openid-configuration';
const key = await newKey('one');

it('finds the keys of a provider by discovery', async () => {
  const provider = await FakeProvider.start(key);
  const keys = await fetchKeySet(provider.issuer);
  expect(await keys({ alg: 'ES256', kid: 'one' })).toMatchObject({ type: 'public' });
  expect(provider.asked).toEqual([discoveryPath, '/keys']);
});

it('says in one line why a provider is not believed', async () => {
  const privateJwk = { ...(await exportJWK(key.privateKey)), kid: 'one' };
  const symmetric = { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA', kid: 'two' };
  const lies: [about: string, lie: (provider: FakeProvider) => void, reason: string][] = [
    [
      'another issuer',
      (p) => p.discovery({ issuer: 'https://evil.example' }),
      'says that its issuer is "https://evil.example"',
    ],
    ['lines in its issuer', (p) => p.discovery({ issuer: `x\nWARN ${'y'.repeat(5_000)}` }), 'issuer is "x\\nWARN yyy'],
    ['another spelling', (p) => p.discovery({ issuer: `${p.issuer}/` }), 'OIDC_ISSUER must be the same to the letter'],
    ['no issuer', (p) => p.discovery({ issuer: undefined }), 'does not name its issuer'],
    ['keys over http elsewhere', (p) => p.discovery({ jwks_uri: 'http://192.0.2.1/keys' }), 'which must be https'],
    ['keys in a file', (p) => p.discovery({ jwks_uri: 'file:///etc/passwd' }), 'which must be https'],
    ['keys in the document', (p) => p.discovery({ jwks_uri: 'data:,{}' }), 'which must be https'],
    ['a user', (p) => p.discovery({ jwks_uri: p.issuer.replace('//', '//a:b@') }), 'which must be https'],
    ['a private key', (p) => p.publish(key.jwk, privateJwk), 'publishes a private key'],
    ['a symmetric key', (p) => p.publish(key.jwk, symmetric), 'publishes a symmetric key'],
    ['a secret exponent that is null', (p) => p.publish({ ...key.jwk, d: null }), 'publishes a private key'],
    ['no keys', (p) => p.publish(), 'has no key that verifies signatures'],
    ['keys for encryption', (p) => p.publish({ ...key.jwk, use: 'enc' }), 'has no key that verifies signatures'],
    ['too many keys', (p) => p.publish(...Array(101).fill(key.jwk)), 'answers no set of at most 100 keys'],
    ['a list', (p) => p.json('/keys', [key.jwk]), 'answers no set of at most 100 keys'],
    ['null', (p) => p.json('/keys', null), 'answers no set of at most 100 keys'],
    ['HTML', (p) => p.pages.set('/keys', (_, r) => void r.end('<html>')), 'answers no JSON'],
    ['an error', (p) => p.pages.set('/keys', (_, r) => void r.writeHead(500).end()), 'answers 500'],
    [
      'a redirect',
      (p) => p.pages.set('/keys', (_, r) => void r.writeHead(302, { location: '/other' }).end()),
      'answers 302, a redirect, which is not followed',
    ],
    [
      'an answer without an end',
      (p) =>
        p.pages.set('/keys', (_, r) => {
          const more = () => void (r.writable && r.write('x'.repeat(64 * 1024), more));
          more();
        }),
      'answers more than 256 KiB',
    ],
    ['a closed connection', (p) => p.pages.set('/keys', (q) => void q.socket.destroy()), 'cannot be reached'],
  ];
  for (const [about, lie, reason] of lies) {
    const provider = await FakeProvider.start(key);
    lie(provider);
    const { message } = await fetchKeySet(provider.issuer).then(
      () => new Error(`${about} was believed`),
      (error: Error) => error,
    );
    expect(message).toContain(reason);
    expect(message).not.toContain('\n');
    expect(message.length).toBeLessThan(500);
    expect(message).not.toContain(privateJwk.d);
    expect(provider.asked).not.toContain('/other');
  }
});

it('waits no longer than its time for a provider that says nothing, or never ends', async () => {
  const provider = await FakeProvider.start(key);
  for (const hang of [() => {}, (_: unknown, response: { write(text: string): void }) => response.write('{"keys":[')]) {
    provider.pages.set('/keys', hang as never);
    await expect(fetchKeySet(provider.issuer, 50)).rejects.toThrow('/keys has not answered in 0.05 s');
  }
  provider.stop();
  await expect(fetchKeySet(provider.issuer)).rejects.toThrow(/cannot be reached \(ECONNREFUSED\)/);
});

it('trusts https, and http on this machine alone', () => {
  const safe = ['https://id.example', 'https://id.example/realms/shop'];
  const local = ['http://127.0.0.1:1', 'http://localhost:1/x', 'http://[::1]:1'];
  const bad = [
    ...['http://id.example', 'http://127.0.0.1.evil.example', 'http://localhost.evil.example', 'ftp://id.example'],
    ...['https://user@id.example', 'https://id.example#x', 'id.example', '', 'javascript:1'],
  ];
  expect([...safe, ...local].map((url) => isSafeUrl(url, true))).toEqual(Array(5).fill(true));
  expect(local.map((url) => isSafeUrl(url, false))).toEqual([false, false, false]);
  expect(bad.filter((url) => isSafeUrl(url, true))).toEqual([]);
});
