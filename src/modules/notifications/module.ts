import { defineModule } from 'kerf/module';
import { mail } from '../mail/contract.ts';
import { sms } from '../sms/contract.ts';
import { notifications } from './contract.ts';
import { dispatches } from './internal/dispatch.ts';
import { history, migrations } from './internal/store.ts';
import { subscriptions, welcome } from './internal/subscriptions.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

export default defineModule({
  contract: notifications,
  about,
  uses: { mail, sms },
  migrations,
  routes,
  subscriptions,
  open: () => ({ operations: { welcome, history }, sagas: Object.values(dispatches) }),
});
