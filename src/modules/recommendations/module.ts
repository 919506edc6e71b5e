import { defineModule } from 'kerf/module';
import { recommendations } from './contract.ts';
import { boughtTogether, learn, migrations } from './internal/store.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

export default defineModule({
  contract: recommendations,
  about,
  migrations,
  routes,
  subscriptions: [learn],
  open: () => ({ operations: { boughtTogether } }),
});
