import { expect, it } from 'vitest';
import { type Scene, sender } from './placements.ts';

export const frontEnd = 'https://shop.example.com';

export function crossOrigin(scene: Scene): void {
  const send = sender(scene);

  it('answers a preflight request before authentication', async () => {
    const { status, headers } = await send('OPTIONS', '/boxes/a', undefined, {
      origin: frontEnd,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type',
    });
    expect([status, headers.get('access-control-allow-origin'), headers.get('access-control-allow-headers')]).toEqual([
      204,
      frontEnd,
      'content-type',
    ]);
    const forbidden = await send('OPTIONS', '/boxes/a', undefined, {
      origin: 'https://evil.example',
      'access-control-request-method': 'PUT',
    });
    expect([forbidden.status, forbidden.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  it('lets the front end read answers and problems', async () => {
    await send('PUT', '/boxes/d', { content: 'nails' }, { origin: frontEnd });
    for (const [path, status] of [['/boxes/d', 200] as const, ['/boxes/none', 404] as const]) {
      const answer = await send('GET', path, undefined, { origin: frontEnd });
      expect([answer.status, answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')]).toEqual([
        status,
        frontEnd,
        'Origin',
      ]);
      expect(answer.headers.get('access-control-expose-headers')).toContain('x-request-id');
    }
  });
}
