import { z } from 'zod';
import { clock, defineModule, token } from '../../shared/kernel/module/index.ts';
import { sms } from './contract.ts';
import { migrations } from './internal/migrations.ts';
import { httpProvider } from './internal/provider/http.ts';
import type { TextProvider } from './internal/provider/text-provider.ts';
import { send } from './internal/send.ts';
import { sending } from './internal/sending.ts';
import about from './module.json' with { type: 'json' };

const textProvider = token<TextProvider | undefined>('the text-message provider');

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
  open(container) {
    const time = container.resolve(clock);
    const { SMS_PROVIDER_URL: url, SMS_PROVIDER_KEY: key } = container.settings;
    container.register(textProvider, () => (url ? httpProvider(url, key) : undefined));
    const sendingSaga = sending(container.resolve(textProvider), time);
    return { operations: { send: send(sendingSaga, time) }, sagas: [sendingSaga] };
  },
});
