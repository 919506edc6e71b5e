import { expect, it } from 'vitest';
import { type Scene, sender } from './placements.ts';

export function etags(scene: Scene): void {
  const send = sender(scene);
  const read = (path: string, headers: Record<string, string> = {}) => send('GET', path, undefined, headers);

  it('answers 304 to a client that has the state, and the body after a change', async () => {
    const put = await send('PUT', '/boxes/t', { content: 'nails' });
    const etag = put.headers.get('etag')!;
    expect(etag).toBe('"1"');
    const same = await read('/boxes/t', { 'if-none-match': `"0", W/${etag}` });
    expect([same.status, same.text, same.headers.get('etag'), same.headers.get('cache-control')]).toEqual([
      304,
      '',
      etag,
      'private, no-cache',
    ]);
    await send('PUT', '/boxes/t', { content: 'screws' });
    const changed = await read('/boxes/t', { 'if-none-match': etag });
    expect([changed.status, changed.body.content, changed.headers.get('etag')]).toEqual([200, 'screws', '"2"']);
  });

  it('computes a strong tag of the body when the handler gives none', async () => {
    await send('PUT', '/boxes/u', { content: 'nails' });
    const first = (await read('/labels/u')).headers.get('etag')!;
    expect(first).toMatch(/^"[\w-]{22}"$/);
    expect((await read('/labels/u', { 'if-none-match': first })).status).toBe(304);
    await send('PUT', '/boxes/u', { content: 'screws' });
    const second = await read('/labels/u', { 'if-none-match': first });
    expect([second.status, second.headers.get('etag') === first]).toEqual([200, false]);
  });

  it('changes only the state that the client has seen', async () => {
    await send('PUT', '/boxes/v', { content: 'nails' });
    const taken = await send('PUT', '/boxes/v', { content: 'screws' }, { 'if-match': '"9", "1"' });
    expect([taken.status, taken.headers.get('etag')]).toEqual([200, '"2"']);
    for (const [method, body] of [['PUT', { content: 'x' }] as const, ['DELETE', undefined] as const]) {
      const late = await send(method, '/boxes/v', body, { 'if-match': '"1"' });
      expect([late.status, late.body.code, late.body.etag]).toEqual([412, 'precondition-failed', '"2"']);
    }
    const weak = await send('DELETE', '/boxes/v', undefined, { 'if-match': 'W/"2"' });
    expect(weak.status).toBe(412);
    expect((await read('/boxes/v')).body.content).toBe('screws');
    expect((await send('DELETE', '/boxes/v', undefined, { 'if-match': '"2"' })).status).toBe(204);
  });

  it('creates only what is not there, and changes only what is', async () => {
    const create = () => send('PUT', '/boxes/w', { content: 'nails' }, { 'if-none-match': '*' });
    expect([(await create()).status, (await create()).status]).toEqual([200, 412]);
    expect((await send('PUT', '/boxes/none', { content: 'x' }, { 'if-match': '*' })).status).toBe(412);
  });

  it.each(['', 'x', '"a', '"a" "b"', '"a", x', 'W/', '*, "a"', '"a\u0001"', Array(101).fill('"a"').join()])(
    'refuses a malformed condition: %s',
    async (text) => {
      for (const name of ['if-match', 'if-none-match']) {
        const answer = await send('PUT', '/boxes/y', { content: 'x' }, { [name]: text }).catch(() => undefined);
        // A client does not even send a control character.
        if (answer) expect([answer.status, answer.body.code]).toEqual([400, 'malformed-request']);
      }
      expect((await read('/boxes/y')).status).toBe(404);
    },
  );
}
