import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT, UnsecuredJWT } from 'jose';
import { it } from 'vitest';
import type { Kerf } from '../../harness/kerf.ts';
import { membersOnly } from './endpoints.ts';
import { expectRefused } from './refused.ts';

const audience = 'kerf-public';
const hour = 60 * 60;

export function tokenCases(around: { kerf: Kerf; token: string }): void {
  it('rejects tokens that are missing, expired, forged or issued for another audience', async () => {
    const shown = await badTokens(around);
    const requests = membersOnly.flatMap(([method, path]) =>
      shown.map(([about, authorization]) => ({
        method,
        path,
        about,
        ...(authorization && { headers: { authorization } }),
        with: '401 unauthenticated',
      })),
    );
    await expectRefused(around.kerf, requests);
  });
}

async function badTokens({ kerf, token }: { kerf: Kerf; token: string }): Promise<[string, string | undefined][]> {
  const own = keyIn(kerf, 'sessions.json');
  const other = keyIn(kerf, 'internal.json');
  const [head, claims, signature] = token.split('.');
  const { sub } = JSON.parse(Buffer.from(claims!, 'base64url').toString());
  const now = Math.floor(Date.now() / 1_000);
  const sign = ({ kid, secret }: Key, aud: string, expires: number) =>
    new SignJWT({ sub })
      .setProtectedHeader({ alg: 'HS256', kid })
      .setAudience(aud)
      .setExpirationTime(expires)
      .sign(secret);
  const swapped = Buffer.from(JSON.stringify({ sub: 'somebody else', aud: audience, exp: now + hour })).toString(
    'base64url',
  );
  const noAlgorithm = new UnsecuredJWT({ sub }).setAudience(audience).setExpirationTime('1h').encode();
  const noEnd = new SignJWT({ sub }).setProtectedHeader({ alg: 'HS256', kid: own.kid }).setAudience(audience);
  return [
    ['no token', undefined],
    ['an empty token', 'Bearer '],
    ['garbage', 'Bearer garbage'],
    ['64 KiB of dots', `Bearer ${'.'.repeat(8_000)}`],
    ['another scheme', `Basic ${token}`],
    ['a token without a signature', `Bearer ${head}.${claims}.`],
    ['claims that were not signed', `Bearer ${head}.${swapped}.${signature}`],
    ['the algorithm none', `Bearer ${noAlgorithm}`],
    ['a token that is over', `Bearer ${await sign(own, audience, now - 1)}`],
    ['a token without an end', `Bearer ${await noEnd.sign(own.secret)}`],
    ['a token for a module', `Bearer ${await sign(own, 'orders', now + hour)}`],
    ['the internal key', `Bearer ${await sign(other, audience, now + hour)}`],
    [
      'a key that is not known',
      `Bearer ${await sign({ kid: own.kid, secret: Buffer.alloc(32) }, audience, now + hour)}`,
    ],
    ["the operator's token", `Bearer ${readFileSync(join(kerf.dataDir, 'operator-token'), 'utf8').trim()}`],
  ];
}

interface Key {
  kid: string;
  secret: Buffer;
}

function keyIn(kerf: Kerf, file: string): Key {
  const { keys } = JSON.parse(readFileSync(join(kerf.dataDir, 'keys', file), 'utf8'));
  return { kid: keys[0].kid, secret: Buffer.from(keys[0].secret, 'base64url') };
}
