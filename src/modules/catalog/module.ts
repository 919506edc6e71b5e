import { defineModule } from '../../shared/kernel/module/index.ts';
import { catalog } from './contract.ts';
import { find } from './internal/find.ts';
import { migrations } from './internal/migrations.ts';
import { put } from './internal/put.ts';
import { search } from './internal/search.ts';
import { seed } from './internal/seed.ts';
import about from './module.json' with { type: 'json' };

export default defineModule({
  contract: catalog,
  about,
  migrations,
  open: () => ({ operations: { search, find, put }, seed }),
});
