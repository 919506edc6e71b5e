import { clock, defineModule } from '../../shared/kernel/module/index.ts';
import { members } from '../members/contract.ts';
import { board } from './contract.ts';
import { comment } from './internal/comment.ts';
import { migrations } from './internal/migrations.ts';
import { list, read } from './internal/queries.ts';
import { write } from './internal/write.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

export default defineModule({
  contract: board,
  about,
  migrations,
  routes,
  open(container) {
    const people = container.client(members);
    const time = container.resolve(clock);
    return { operations: { write: write(people, time), comment: comment(people, time), list, read } };
  },
});
