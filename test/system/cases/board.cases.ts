import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Page } from '../../harness/shop.ts';
import type { System } from './system.ts';

interface Post {
  id: string;
  author: { id: string; name: string };
  title: string;
  body: string;
  createdAt: string;
}

export function boardCases(system: System): void {
  it('keeps posts and comments with their authors', async () => {
    const member = await system.shop.join({ name: 'Linus' });
    const written = await member.post<Post>('/posts', { title: 'Which saw? 🪚', body: 'One\nor the other' });
    expect(written.status).toBe(201);
    expect(written.body).toMatchObject({
      title: 'Which saw? 🪚',
      body: 'One\nor the other',
      author: { name: 'Linus' },
    });

    const path = `/posts/${written.body.id}`;
    const comment = await system.ada.post(`${path}/comments`, { body: 'The rip saw' });
    expect(comment).toMatchObject({ status: 201, body: { author: { name: 'Ada' }, body: 'The rip saw' } });
    const { body } = await system.shop.get(path);
    expect(body).toEqual({ ...written.body, comments: [comment.body] });
  });

  it('lists posts page by page, newest first', async () => {
    const title = randomUUID();
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      ids.unshift((await system.ada.post<Post>('/posts', { title, body: `${count}` })).body.id);
    }
    const listed: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body }: { body: Page<Post> } = await system.shop.get(`/posts?limit=2${cursor && `&cursor=${cursor}`}`);
      listed.push(...body.items.filter((post) => post.title === title).map(({ id }) => id));
      cursor = body.next;
    }
    expect(listed).toEqual(ids);
  });

  it('accepts posts only from members, and comments only on existing posts', async () => {
    const post = { title: 'Anonymous', body: 'I was here' };
    expect(await system.shop.post('/posts', post)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    const nowhere = `/posts/${randomUUID()}`;
    expect(await system.shop.get(nowhere)).toMatchObject({ status: 404, body: { code: 'not-found' } });
    const comment = await system.ada.post(`${nowhere}/comments`, { body: 'Hello?' });
    expect(comment).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });

  it('answers HEAD like GET, without the body', async () => {
    const [all, head] = [await system.shop.get('/posts'), await system.shop.send('HEAD', '/posts')];
    expect([head.status, head.body]).toEqual([200, null]);
    expect(head.headers.get('content-type')).toBe(all.headers.get('content-type'));
    expect((await system.shop.send('HEAD', `/posts/${randomUUID()}`)).status).toBe(404);
  });
}
