import { defineModule } from 'kerf/module';
import { catalog } from './contract.ts';
import { seed } from './internal/seed.ts';
import { find, migrations, put, search } from './internal/store.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

export default defineModule({
  contract: catalog,
  about,
  migrations,
  routes,
  open: () => ({ operations: { search, find, put }, seed }),
});
