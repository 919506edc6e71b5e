import { clock, defineModule } from '../../shared/kernel/module/index.ts';
import { mail } from '../mail/contract.ts';
import { members } from '../members/contract.ts';
import { orders } from '../orders/contract.ts';
import { sms } from '../sms/contract.ts';
import { notifications } from './contract.ts';
import { mailDispatch, textDispatch } from './internal/dispatch.ts';
import { history } from './internal/history.ts';
import { migrations } from './internal/migrations.ts';
import { subscriptions } from './internal/subscriptions.ts';
import { welcome } from './internal/welcome.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

export default defineModule({
  contract: notifications,
  about,
  migrations,
  routes,
  subscribesTo: [
    members.events.registered,
    orders.events.confirmed,
    mail.events.sent,
    mail.events.bounced,
    sms.events.sent,
    sms.events.failed,
  ],
  open(container) {
    const time = container.resolve(clock);
    return {
      operations: { welcome: welcome(time), history },
      subscriptions: subscriptions(time),
      sagas: [mailDispatch, textDispatch],
    };
  },
});
