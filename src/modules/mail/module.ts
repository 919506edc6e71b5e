import { defineModule } from 'kerf/module';
import { z } from 'zod';
import { mail } from './contract.ts';
import { send, sending } from './internal/send.ts';
import { smtpServer } from './internal/smtp.ts';
import { migrations } from './internal/store.ts';
import about from './module.json' with { type: 'json' };

export default defineModule({
  contract: mail,
  about,
  migrations,
  settings: z.object({
    MAIL_SMTP_URL: z
      .url({ protocol: /^smtps?$/ })
      .optional()
      .describe('an SMTP server; without one, the development mailbox'),
    MAIL_FROM: z.string().regex(/@/).default('Kerf <kerf@localhost>').describe('the sender'),
  }),
  open({ settings: { MAIL_SMTP_URL: url, MAIL_FROM: from } }) {
    const server = url ? smtpServer(url, from) : undefined;
    const saga = sending(server);
    return { operations: { send: send(saga) }, sagas: [saga], close: async () => server?.close() };
  },
});
