import { type Clock, instant, newId } from '../../../shared/kernel/context/index.ts';
import type { Client } from '../../../shared/kernel/contract/index.ts';
import { inSteps } from '../../../shared/kernel/module/index.ts';
import type { members } from '../../members/contract.ts';
import type { Comment } from '../contract.ts';
import { findPost } from './queries.ts';
import { tables } from './tables.ts';

export function comment(people: Client<typeof members>, clock: Clock) {
  return inSteps(
    async (
      { memberId, postId, body }: { memberId: string; postId: string; body: string },
      { work, answer, read },
    ): Promise<Comment> => {
      await findPost(read, postId);
      const { name } = await people.displayName({ id: memberId });
      const row = { id: newId(), postId, memberId, author: name, body, createdAt: instant(clock) };
      const written = { id: row.id, author: { id: memberId, name }, body, createdAt: row.createdAt };
      await work(async (unit) => {
        await unit.db.insert(tables(unit).comments).values(row);
        await answer(unit, written);
      });
      return written;
    },
  );
}
