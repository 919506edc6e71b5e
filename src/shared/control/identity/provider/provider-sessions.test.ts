import { createPublicKey } from 'node:crypto';
import {
  base64url,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  importJWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openProvider, type ProviderSettings } from './open-provider.ts';
import { FakeProvider, newKey } from './provider.scene.ts';

const [key, strange] = [await newKey('one'), await newKey('one')];
const rsa = await newKey('rsa', 'RS256');
const seconds = () => Math.floor(Date.now() / 1_000);
const roles = ['catalog-editor', 'clerk'];
const access = { existing: (given: Iterable<unknown>) => roles.filter((role) => [...given].includes(role)) };
const log = { warn: vi.fn(), debug: vi.fn() };

afterEach(() => vi.useRealTimers());

async function open(settings: ProviderSettings = {}) {
  const provider = await FakeProvider.start(key, rsa);
  const sessions = openProvider(
    { OIDC_ISSUER: provider.issuer, OIDC_AUDIENCE: 'shop', ...settings },
    access as never,
    log,
  )!;
  return { provider, sessions };
}

describe('a token of the identity provider', () => {
  it('signs a member in, with an id of its issuer and subject', async () => {
    const { provider, sessions } = await open();
    const exp = seconds() + 60;
    const session = await sessions.verify(await provider.token(key, { exp, roles: ['clerk'] }));
    expect(session).toEqual({
      id: expect.stringMatching(/^oidc [\w-]{43}$/),
      member: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      expiresAt: exp,
    });
    const again = await sessions.verify(await provider.token(rsa, { jti: 'other' }));
    expect([again!.member, again!.id === session!.id]).toEqual([session!.member, false]);
    const others = await Promise.all(
      ['Ann', 'ann ', 'bob', '\u0430nn', 'a\u0301nn'].map(async (sub) =>
        sessions.verify(await provider.token(key, { sub })),
      ),
    );
    expect(new Set([session, ...others].map((each) => each!.member)).size).toBe(6);
  });

  it('brings the roles that an endpoint asks for, from the claim of the setting', async () => {
    const claims = {
      scope: 'openid clerk',
      'https://shop.example/roles': ['catalog-editor'],
      realm_access: { roles: ['clerk', 'catalog-editor', 'offline_access'] },
      odd: ['clerk '],
      one: 'clerk',
      deep: { list: { of: ['clerk'] } },
      numbers: [1, null, { clerk: true }, ['clerk']],
      flag: { clerk: true },
    };
    const expected: [claim: string, roles: string[] | undefined][] = [
      ['scope', ['clerk']],
      ['https://shop.example/roles', ['catalog-editor']],
      ['realm_access.roles', ['catalog-editor', 'clerk']],
      ['one', ['clerk']],
      ['deep.list.of', ['clerk']],
      ...[
        'odd',
        'numbers',
        'flag',
        'flag.clerk',
        'none',
        'deep.none.of',
        '__proto__',
        'constructor.name',
        'one.length',
      ].map((claim): [string, undefined] => [claim, undefined]),
    ];
    for (const [OIDC_ROLES_CLAIM, wanted] of expected) {
      const { provider, sessions } = await open({ OIDC_ROLES_CLAIM });
      expect([OIDC_ROLES_CLAIM, (await sessions.verify(await provider.token(key, claims)))?.roles]).toEqual([
        OIDC_ROLES_CLAIM,
        wanted,
      ]);
    }
  });

  it('names the member by a claim, if a setting says so, and by nothing but a plain id', async () => {
    const { provider, sessions } = await open({ OIDC_MEMBER_CLAIM: 'shop.member' });
    const memberOf = async (member: unknown) =>
      (await sessions.verify(await provider.token(key, { shop: { member } })))?.member;
    expect(await memberOf('m-1')).toBe('m-1');
    for (const bad of ['', 'a b', 'a\n', '\u0430nn', 'a\u200b', 'x'.repeat(256), 7, null, ['m-1'], { m: 1 }, undefined])
      expect(await memberOf(bad)).toBeUndefined();
  });

  it('is read once, until it ends, its key is revoked, or the keys cannot be renewed', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { provider, sessions } = await open();
    await sessions.keys.open();
    const token = await provider.token(key, { exp: seconds() + 60 });
    const first = await sessions.verify(token);
    expect(await sessions.verify(token)).toBe(first);
    vi.setSystemTime(Date.now() + 89_000);
    expect(await sessions.verify(token)).toBe(first);
    vi.setSystemTime(Date.now() + 1_000);
    expect(await sessions.verify(token)).toBeUndefined();

    const lasting = await provider.token(key, { exp: seconds() + 600 });
    expect(await sessions.verify(lasting)).toBeDefined();
    sessions.keys.version += 1;
    const now = vi.spyOn(sessions.keys, 'keyFor').mockRejectedValue(new Error('no such key'));
    expect(await sessions.verify(lasting)).toBeUndefined();
    now.mockRestore();
  });

  it('is verified again when its key was revoked during its verification', async () => {
    const { provider, sessions } = await open();
    const token = await provider.token(key);
    await sessions.verify(await provider.token(rsa));
    const { keys } = sessions;
    const found = await keys.keyFor({ alg: 'ES256', kid: 'one' });
    const keyFor = vi.spyOn(keys, 'keyFor').mockImplementationOnce(async () => {
      keys.version += 1;
      return found;
    });
    expect(await sessions.verify(token)).toBeDefined();
    keyFor.mockRejectedValueOnce(new Error('no such key'));
    expect(await sessions.verify(token)).toBeUndefined();
  });

  it('is refused with 503 while the keys are not known, and only if it claims to be of this issuer', async () => {
    const { provider, sessions } = await open();
    const token = await provider.token(key);
    provider.stop();
    await expect(sessions.verify(token)).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    expect(await sessions.verify(await provider.token(key, { iss: 'https://other.example' }))).toBeUndefined();
    expect(await sessions.verify('garbage')).toBeUndefined();
  });
});

describe('a forged token', () => {
  /** Returns tokens that must not pass, by the attack. */
  async function attacks(provider: FakeProvider): Promise<Record<string, string>> {
    const good = await provider.token(key);
    const [head, body, signature] = good.split('.') as [string, string, string];
    const claims = { iss: provider.issuer, aud: 'shop', sub: 'ann', exp: seconds() + 300 };
    const swapped = (changes: object) => base64url.encode(JSON.stringify({ ...claims, ...changes }));
    const headed = (header: object) => base64url.encode(JSON.stringify({ alg: 'ES256', kid: 'one', ...header }));
    const signed = (changes: JWTPayload, header: object = {}) => provider.token(key, changes, header);
    const strangeJwk = await exportJWK(createPublicKey(await exportSPKI((await importJWK(strange.jwk)) as CryptoKey)));
    const rsaPem = await exportSPKI((await importJWK(rsa.jwk)) as CryptoKey);
    const hmac = (secret: string, kid: string) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid }).sign(new TextEncoder().encode(secret));
    return {
      'the algorithm none': new UnsecuredJWT(claims).encode(),
      'the algorithm none, in other letters': `${headed({ alg: 'nOnE' })}.${body}.`,
      'HMAC with the public key as PEM': await hmac(rsaPem, 'rsa'),
      'HMAC with the public key as JSON': await hmac(JSON.stringify(rsa.jwk), 'rsa'),
      'HMAC with the modulus': await hmac(rsa.jwk.n!, 'rsa'),
      'HMAC with nothing': `${headed({ alg: 'HS256' })}.${body}.${signature}`,
      'the key of another provider': await provider.token(strange),
      'its own key in the header': await provider.token(strange, {}, { jwk: strangeJwk }),
      'an address of its own keys': await provider.token(
        strange,
        {},
        { jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1' },
      ),
      'a certificate in the header': await provider.token(strange, {}, { x5c: ['MIIB'] }),
      'a kid that is a path': await provider.token(strange, {}, { kid: '../../../../dev/null' }),
      'a kid that is SQL': await provider.token(strange, {}, { kid: "x' UNION SELECT 'key" }),
      'a kid of a prototype': await provider.token(strange, {}, { kid: '__proto__' }),
      'an empty kid': await provider.token(strange, {}, { kid: '' }),
      'the kid of a key of another kind': await provider.token(strange, {}, { kid: 'rsa' }),
      'no kid': await provider.token(strange, {}, { kid: undefined }),
      'other claims': `${head}.${swapped({ sub: 'bob' })}.${signature}`,
      'no signature': `${head}.${body}.`,
      'an empty signature of ECDSA': `${head}.${body}.${base64url.encode(new Uint8Array(64))}`,
      'a signature that is cut': good.slice(0, -4),
      'four parts': `${good}.x`,
      'two parts': `${head}.${body}`,
      'five parts': `${good}.x.y`,
      'another audience': await signed({ aud: 'other' }),
      'an audience that contains it': await signed({ aud: 'shop.example' }),
      'an audience in other letters': await signed({ aud: 'Shop' }),
      'no audience': await signed({ aud: undefined as never }),
      'an empty list of audiences': await signed({ aud: [] }),
      'another issuer': await signed({ iss: 'https://evil.example' }),
      'an issuer with a slash': await signed({ iss: `${provider.issuer}/` }),
      'issuers in a list': await signed({ iss: [provider.issuer] as never }),
      'no subject': await signed({ sub: undefined }),
      'a subject that is a number': await signed({ sub: 7 as never }),
      'an empty subject': await signed({ sub: '' }),
      'no end': await signed({ exp: undefined }),
      'an end that is a text': await signed({ exp: '9999999999' as never }),
      'an endless end': await signed({ exp: 1e300 }),
      'an end that is over': await signed({ exp: seconds() - 31 }),
      'a beginning in the future': await signed({ nbf: seconds() + 60 }),
      'a logout token': await signed({}, { typ: 'logout+jwt' }),
      'a token that is bound to a key': await signed({ cnf: { jkt: 'x' } }),
      'an extension that must be understood': `${headed({ crit: ['exp'] })}.${body}.${signature}`,
      'b64: false': `${headed({ b64: false, crit: ['b64'] })}.${body}.${signature}`,
      'claims that are a list': `${head}.${base64url.encode('[]')}.${signature}`,
      'claims that are no UTF-8': `${head}.${base64url.encode(Buffer.from([0xff, 0xfe]))}.${signature}`,
      'a byte order mark': `\ufeff${good}`,
      'a fullwidth dot': good.replaceAll('.', '\uff0e'),
      '15 KiB of claims': `${head}.${swapped({ x: 'x'.repeat(11_000) })}.${signature}`,
      'deep claims': `${head}.${base64url.encode('['.repeat(5_000))}.${signature}`,
    };
  }

  it('is refused', async () => {
    const { provider, sessions } = await open({ OIDC_ROLES_CLAIM: 'roles' });
    expect(await sessions.verify(await provider.token(key))).toBeDefined();
    const accepted: string[] = [];
    for (const [about, token] of Object.entries(await attacks(provider)))
      if (await sessions.verify(token)) accepted.push(about);
    expect(accepted).toEqual([]);
    expect(JSON.stringify(log.debug.mock.calls)).not.toContain('eyJ');
  });

  it('causes one more request to the provider, however many kids it invents', async () => {
    const { provider, sessions } = await open();
    await sessions.verify(await provider.token(key));
    const before = provider.asked.length;
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, n) => provider.token(strange, {}, { kid: `k${n}` })),
    );
    expect(await Promise.all(tokens.map((token) => sessions.verify(token)))).toEqual(Array(50).fill(undefined));
    expect(provider.asked.length - before).toBeLessThanOrEqual(2);
  });

  it('has the same id as another spelling of the same token, so that signing out ends both', async () => {
    const { provider, sessions } = await open();
    const token = await provider.token(key);
    const cut = token.lastIndexOf('.');
    const signature = base64url.decode(token.slice(cut + 1));
    // An ECDSA signature (r, s) is valid as (r, n - s) as well.
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
    const other = Buffer.from((n - s).toString(16).padStart(64, '0'), 'hex');
    const twin = `${token.slice(0, cut + 1)}${base64url.encode(Buffer.concat([signature.subarray(0, 32), other]))}`;
    expect(twin).not.toBe(token);
    expect((await sessions.verify(twin))?.id).toBe((await sessions.verify(token))!.id);
  });
});

describe('the settings of a provider', () => {
  it.each<[ProviderSettings, string]>([
    [{ OIDC_AUDIENCE: 'shop' }, 'need OIDC_ISSUER'],
    [{ OIDC_ROLES_CLAIM: 'scope' }, 'need OIDC_ISSUER'],
    [{ OIDC_ISSUER: 'https://id.example' }, 'OIDC_ISSUER needs OIDC_AUDIENCE'],
    [{ OIDC_ISSUER: 'http://id.example', OIDC_AUDIENCE: 'shop' }, 'OIDC_ISSUER must be https://'],
    [{ OIDC_ISSUER: 'https://id.example?x=1', OIDC_AUDIENCE: 'shop' }, 'OIDC_ISSUER must be https://'],
    [{ OIDC_ISSUER: 'id.example', OIDC_AUDIENCE: 'shop' }, 'OIDC_ISSUER must be https://'],
  ])('%j stop the start', (settings, message) => {
    expect(() => openProvider(settings, access as never, log)).toThrow(message);
  });

  it('are absent for a system without one', () => {
    expect(openProvider({}, access as never, log)).toBeUndefined();
  });
});
