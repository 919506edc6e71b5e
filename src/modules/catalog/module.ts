import { defineModule } from 'kerf/module';
import { catalog } from './contract.ts';
import { seed } from './internal/seed.ts';
import { find, migrations, put, search } from './internal/store.ts';
import about from './module.json' with { type: 'json' };

export default defineModule({
  contract: catalog,
  about,
  migrations,
  open: () => ({ operations: { search, find, put }, seed }),
});
