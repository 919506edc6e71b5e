import { defineModule } from 'kerf/module';
import { z } from 'zod';
import { sms } from './contract.ts';
import { httpProvider } from './internal/provider.ts';
import { send, sending } from './internal/send.ts';
import { migrations } from './internal/store.ts';
import about from './module.json' with { type: 'json' };

export default defineModule({
  contract: sms,
  about,
  migrations,
  settings: z.object({
    SMS_PROVIDER_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('an HTTP text-message provider; without one, the development outbox'),
    SMS_PROVIDER_KEY: z.string().default('').describe('its bearer key'),
  }),
  open({ settings: { SMS_PROVIDER_URL: url, SMS_PROVIDER_KEY: key } }) {
    const saga = sending(url ? httpProvider(url, key) : undefined);
    return { operations: { send: send(saga) }, sagas: [saga] };
  },
});
