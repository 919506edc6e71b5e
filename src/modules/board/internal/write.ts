import { instant, newId } from 'kerf/context';
import type { Client } from 'kerf/contract';
import { orNotFound } from 'kerf/errors';
import { inSteps } from 'kerf/module';
import type { members } from '../../members/contract.ts';
import { board } from '../contract.ts';
import { addComment, addPost, postById, withAuthor } from './store.ts';

export function write(people: Client<typeof members>) {
  return inSteps(board.operations.write, async ({ memberId, title, body }, { work, answer, clock }) => {
    const { name: author } = await people.displayName({ id: memberId });
    const row = { id: newId(), memberId, author, title, body, createdAt: instant(clock) };
    return work(async (unit) => {
      await addPost(unit, row);
      await unit.publish(board.events.written, { postId: row.id, memberId, title });
      return answer(unit, withAuthor(row));
    });
  });
}

export function comment(people: Client<typeof members>) {
  return inSteps(board.operations.comment, async ({ memberId, postId, body }, { work, answer, read, clock }) => {
    orNotFound(await postById(read, postId), 'post');
    const { name: author } = await people.displayName({ id: memberId });
    const row = { id: newId(), memberId, author, body, createdAt: instant(clock) };
    return work(async (unit) => {
      await addComment(unit, { ...row, postId });
      return answer(unit, withAuthor(row));
    });
  });
}
