import { type Clock, instant, newId } from '../../../shared/kernel/context/index.ts';
import type { Client } from '../../../shared/kernel/contract/index.ts';
import { inSteps } from '../../../shared/kernel/module/index.ts';
import type { members } from '../../members/contract.ts';
import { board, type Post } from '../contract.ts';
import { tables } from './tables.ts';

export function write(people: Client<typeof members>, clock: Clock) {
  return inSteps(
    async (
      { memberId, title, body }: { memberId: string; title: string; body: string },
      { work, answer },
    ): Promise<Post> => {
      const { name } = await people.displayName({ id: memberId });
      const row = { id: newId(), memberId, author: name, title, body, createdAt: instant(clock) };
      const post = { id: row.id, author: { id: memberId, name }, title, body, createdAt: row.createdAt };
      await work(async (unit) => {
        await unit.db.insert(tables(unit).posts).values(row);
        await unit.publish(board.events.written, { postId: row.id, memberId, title });
        await answer(unit, post);
      });
      return post;
    },
  );
}
