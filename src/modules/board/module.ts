import { defineModule } from 'kerf/module';
import { members } from '../members/contract.ts';
import { board } from './contract.ts';
import { list, migrations, read } from './internal/store.ts';
import { comment, write } from './internal/write.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

export default defineModule({
  contract: board,
  about,
  uses: { members },
  migrations,
  routes,
  open(container) {
    const people = container.client(members);
    return { operations: { write: write(people), comment: comment(people), list, read } };
  },
});
