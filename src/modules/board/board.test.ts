import { newId, setTrap } from 'kerf/context';
import { refusal } from 'kerf/errors';
import { testModule } from 'kerf/testing';
import { afterEach, expect, it } from 'vitest';
import board from './module.ts';

const memberId = newId();
const stubs = { members: { displayName: () => ({ name: 'Ann' }) } };
const draft = { memberId, title: 'A title', body: 'A body' };

afterEach(() => setTrap(undefined));

it('shows a post with its comments, each with the name of its author', async () => {
  const forum = await testModule(board, { stubs });
  const post = await forum.write(draft);
  await forum.comment({ memberId, postId: post.id, body: 'A comment' });
  const author = { id: memberId, name: 'Ann' };
  expect(await forum.operations.read({ id: post.id })).toMatchObject({
    author,
    comments: [{ author, body: 'A comment' }],
  });
  expect(forum.published(forum.events.written)).toEqual([{ postId: post.id, memberId, title: 'A title' }]);
});

it('lists the latest post first', async () => {
  const forum = await testModule(board, { stubs });
  for (const title of ['first', 'second']) await forum.write({ ...draft, title });
  expect((await forum.list({})).items.map(({ title }) => title)).toEqual(['second', 'first']);
});

it('refuses a comment on a post that is not there', async () => {
  const forum = await testModule(board, { stubs });
  const comment = forum.comment({ memberId, postId: newId(), body: 'A comment' });
  await expect(comment).rejects.toMatchObject({ code: 'not-found' });
});

it('writes nothing while members cannot tell the name', async () => {
  const displayName = () => {
    throw refusal('unavailable');
  };
  const forum = await testModule(board, { stubs: { members: { displayName } } });
  await expect(forum.write(draft)).rejects.toMatchObject({ code: 'unavailable' });
  expect((await forum.list({})).items).toEqual([]);
});

it('writes one post for a key, also when the process died before its answer', async () => {
  const forum = await testModule(board, { stubs });
  const write = () => forum.write(draft, { idempotencyKey: 'one' });
  setTrap((point) => {
    if (point.endsWith('/write/committed')) throw new Error('dead');
  });
  await expect(write()).rejects.toMatchObject({ code: 'internal' });
  setTrap(undefined);
  const post = await write();
  expect([await write(), (await forum.list({})).items]).toEqual([post, [post]]);
});
