import { expect, it } from 'vitest';
import { type Scene, sender } from './placements.ts';

export function middleware(scene: Scene): void {
  const send = sender(scene);
  const note = (headers: Record<string, string>) => send('POST', '/notes', { content: 'nails' }, headers);

  it('runs the middleware of the module and of the endpoint, which may read the body and change the answer', async () => {
    const { status, headers, body } = await note({ 'x-key': 'key', 'accept-encoding': 'gzip' });
    expect([status, body]).toEqual([200, { content: 'nails', seen: ['content'] }]);
    expect([headers.get('content-encoding'), headers.get('x-shelf')]).toEqual(['gzip', 'served']);
    expect(headers.get('server-timing')).toMatch(/^total;dur=/);
  });

  it('answers with what a middleware throws', async () => {
    const refused = await fetch(`${scene.kerf.url}/notes`, { method: 'POST', body: '{}' });
    expect([refused.status, await refused.text()]).toEqual([403, 'no key']);
    const declared = await send('GET', '/fails');
    expect([declared.status, declared.body.detail]).toEqual([409, 'refused by a middleware']);
    const broken = await note({ 'x-key': 'broken' });
    expect([broken.status, broken.body.code]).toEqual([500, 'internal']);
    await expect.poll(() => scene.kerf.stderr).toContain('the guard broke');
  });

  it('runs around no endpoint that was added before it', async () => {
    expect((await send('GET', '/streams/state')).headers.get('x-shelf')).toBe(null);
  });
}
