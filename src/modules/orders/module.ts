import { defineModule } from 'kerf/module';
import { z } from 'zod';
import { catalog } from '../catalog/contract.ts';
import { inventory } from '../inventory/contract.ts';
import { payments } from '../payments/contract.ts';
import { orders } from './contract.ts';
import { cancel, cancellation } from './internal/cancellation.ts';
import { checkout } from './internal/checkout.ts';
import { place } from './internal/place.ts';
import { get, list, migrations } from './internal/store.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

export default defineModule({
  contract: orders,
  about,
  uses: { catalog, inventory, payments },
  migrations,
  routes,
  settings: z.object({
    ORDERS_CHECKOUT_SECONDS: z.coerce
      .number()
      .int()
      .min(1)
      .default(30)
      .describe('how long a checkout is tried before everything is given back'),
  }),
  open(container) {
    const saga = checkout(container.settings.ORDERS_CHECKOUT_SECONDS * 1_000);
    return {
      operations: { place: place(container.client(catalog), saga), cancel, get, list },
      sagas: [saga, cancellation],
    };
  },
});
