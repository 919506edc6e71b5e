import { z } from 'zod';
import { clock, defineModule, token } from '../../shared/kernel/module/index.ts';
import { payments } from './contract.ts';
import { authorize } from './internal/authorize.ts';
import { capture } from './internal/capture.ts';
import { migrations } from './internal/migrations.ts';
import { developmentProvider } from './internal/provider/development.ts';
import { httpProvider } from './internal/provider/http.ts';
import type { PaymentProvider } from './internal/provider/provider.ts';
import { get, ofOrder } from './internal/queries.ts';
import { refund } from './internal/refund.ts';
import { voidPayment } from './internal/void.ts';
import about from './module.json' with { type: 'json' };
import { routes } from './routes.ts';

const paymentProvider = token<PaymentProvider>('the payment provider');

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
    const time = container.resolve(clock);
    const { PAYMENTS_PROVIDER_URL: url, PAYMENTS_PROVIDER_KEY: key } = container.settings;
    container.register(paymentProvider, () => (url ? httpProvider(url, key) : developmentProvider(time)));
    const provider = container.resolve(paymentProvider);
    return {
      operations: {
        authorize: authorize(provider, time),
        capture: capture(provider, time),
        void: voidPayment(provider, time),
        refund: refund(provider, time),
        get,
        ofOrder,
      },
    };
  },
});
