import { expect, it } from 'vitest';
import { type Scene, sender } from './placements.ts';

export function methods(scene: Scene): void {
  const send = sender(scene);

  it('puts, changes, reads and deletes', async () => {
    const put = await send('PUT', '/boxes/a', { content: 'nails' });
    expect([put.status, put.body]).toEqual([200, { name: 'a', content: 'nails', version: 1 }]);
    const patched = await send('PATCH', '/boxes/a', { content: ', screws' });
    expect([patched.status, patched.body.content]).toEqual([200, 'nails, screws']);
    expect((await send('GET', '/boxes/a')).body).toEqual(patched.body);
    const deleted = await send('DELETE', '/boxes/a');
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expect((await send('GET', '/boxes/a')).status).toBe(404);
  });

  it('takes a patch with a content type of its own', async () => {
    await send('PUT', '/boxes/b', { content: 'a' });
    const merged = await send(
      'PATCH',
      '/boxes/b',
      { content: 'b' },
      { 'content-type': 'application/merge-patch+json' },
    );
    expect([merged.status, merged.body.content]).toEqual([200, 'ab']);
  });

  it('answers HEAD as GET, without a body', async () => {
    await send('PUT', '/boxes/c', { content: 'nails' });
    const [got, head] = [await send('GET', '/boxes/c'), await send('HEAD', '/boxes/c')];
    expect([head.status, head.text, head.headers.get('content-type')]).toEqual([
      200,
      '',
      got.headers.get('content-type'),
    ]);
    expect((await send('HEAD', '/boxes/none')).status).toBe(404);
  });

  it('answers OPTIONS with the methods of the path, and every other method with 405 and the same', async () => {
    const allow = 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS';
    const options = await send('OPTIONS', '/boxes/c');
    expect([options.status, options.text, options.headers.get('allow')]).toEqual([204, '', allow]);
    const post = await send('POST', '/boxes/c', {});
    expect([post.status, post.body.code, post.headers.get('allow')]).toEqual([405, 'method-not-allowed', allow]);
    const reference = await send('POST', '/openapi.json', {});
    expect([reference.status, reference.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect((await send('OPTIONS', '/nothing')).status).toBe(404);
  });
}
