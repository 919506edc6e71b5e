import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { Shop } from '../../harness/shop.ts';
import type { System } from './system.ts';

export function memberCases(system: System): void {
  it('signs up, signs in and identifies the member', async () => {
    const email = `${randomUUID()}@example.com`;
    const details = { email, name: 'Grace', phone: '+82 10 1234 5678' };
    const signedUp = await system.shop.post('/members', { ...details, password: 'correct horse' });
    expect(signedUp.status).toBe(201);
    expect(signedUp.body).toEqual({ id: expect.any(String), email, name: 'Grace' });

    const session = await system.shop.post('/sessions', { email, password: 'correct horse' });
    expect(session.status).toBe(201);
    expect(Date.parse(session.body.expiresAt!)).toBeGreaterThan(Date.now());

    const me = await new Shop(system.shop.url, session.body.token!).get('/members/me');
    expect(me).toMatchObject({ status: 200, body: { ...details, id: signedUp.body.id } });
  });

  it('treats two spellings of an e-mail address as one member', async () => {
    const email = `${randomUUID()}@example.com`;
    await system.shop.join({ email });
    const again = await system.shop.post('/members', {
      email: email.toUpperCase(),
      name: 'Twin',
      password: 'correct horse',
    });
    expect(again).toMatchObject({ status: 409, body: { code: 'email-taken', status: 409 } });
    await system.shop.signIn(email.toUpperCase());
  });

  it('signs up one member for concurrent requests with the same address', async () => {
    const body = { email: `${randomUUID()}@example.com`, name: 'First', password: 'correct horse' };
    const answers = await Promise.all([1, 2, 3].map(() => system.shop.post('/members', body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });

  it('does not reveal whether the address or the password was wrong', async () => {
    const email = `${randomUUID()}@example.com`;
    await system.shop.join({ email });
    const wrong = await system.shop.post('/sessions', { email, password: 'battery staple' });
    const unknown = await system.shop.post('/sessions', { email: `x${email}`, password: 'battery staple' });
    expect(wrong).toMatchObject({ status: 401, body: { code: 'bad-credentials' } });
    expect(unknown.body).toEqual(wrong.body);
  });

  it("signs out one session: refuses its token and accepts the member's other session", async () => {
    const email = `${randomUUID()}@example.com`;
    const [here, elsewhere] = [await system.shop.join({ email }), await system.shop.signIn(email)];
    const out = await here.send('DELETE', '/sessions/current');
    expect([out.status, out.body]).toEqual([204, null]);
    for (const [method, path] of [
      ['GET', '/members/me'],
      ['DELETE', '/sessions/current'],
    ] as const) {
      const refused = await here.send(method, path);
      expect(refused).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect((await elsewhere.get('/members/me')).status).toBe(200);
  });

  it('forbids caching of tokens and personal data', async () => {
    const email = `${randomUUID()}@example.com`;
    const shop = await system.shop.join({ email });
    const answers = [
      await system.shop.post('/sessions', { email, password: 'correct horse' }),
      await system.shop.post('/sessions', { email, password: 'battery staple' }),
      await shop.get('/members/me'),
      await shop.get('/orders'),
      await shop.get('/messages'),
    ];
    for (const { headers } of answers) expect(headers.get('cache-control')).toBe('no-store');
    expect(answers[1]!.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('requires authentication for every member resource', async () => {
    for (const path of ['/members/me', '/orders', '/messages']) {
      expect(await system.shop.get(path)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    }
  });
}
