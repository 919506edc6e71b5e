import { defineModule, on } from '../../shared/kernel/module/index.ts';
import { orders } from '../orders/contract.ts';
import { recommendations } from './contract.ts';
import { boughtTogether } from './internal/bought-together.ts';
import { learn } from './internal/learn.ts';
import { migrations } from './internal/migrations.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

export default defineModule({
  contract: recommendations,
  about,
  migrations,
  routes,
  subscribesTo: [orders.events.confirmed],
  open: () => ({ operations: { boughtTogether }, subscriptions: [on(orders.events.confirmed, learn)] }),
});
