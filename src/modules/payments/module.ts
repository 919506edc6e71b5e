import { clock, defineModule } from 'kerf/module';
import { z } from 'zod';
import { payments } from './contract.ts';
import { authorize, voidPayment } from './internal/authorize.ts';
import { developmentProvider } from './internal/provider/development.ts';
import { httpProvider } from './internal/provider/http.ts';
import { capture, refund } from './internal/settle.ts';
import { get, migrations, ofOrder } from './internal/store.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

export default defineModule({
  contract: payments,
  about,
  migrations,
  routes,
  settings: z.object({
    PAYMENTS_PROVIDER_URL: z
      .url()
      .optional()
      .describe('an HTTP payment provider; without one, the development provider'),
    PAYMENTS_PROVIDER_KEY: z.string().default('').describe('its bearer key'),
  }),
  open(container) {
    const { PAYMENTS_PROVIDER_URL: url, PAYMENTS_PROVIDER_KEY: key } = container.settings;
    const provider = url ? httpProvider(url, key) : developmentProvider(container.resolve(clock));
    return {
      operations: {
        authorize: authorize(provider),
        capture: capture(provider),
        void: voidPayment(provider),
        refund: refund(provider),
        get,
        ofOrder,
      },
    };
  },
});
