import { z } from 'zod';
import { clock, defineModule, token } from '../../shared/kernel/module/index.ts';
import { mail } from './contract.ts';
import { migrations } from './internal/migrations.ts';
import { send } from './internal/send.ts';
import { sending } from './internal/sending.ts';
import type { MailServer } from './internal/server/mail-server.ts';
import { smtpServer } from './internal/server/smtp.ts';
import about from './module.json' with { type: 'json' };

const mailServer = token<MailServer | undefined>('the mail server');

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
  open(container) {
    const time = container.resolve(clock);
    const { MAIL_SMTP_URL: url, MAIL_FROM: from } = container.settings;
    container.register(mailServer, () => (url ? smtpServer(url, from) : undefined));
    const server = container.resolve(mailServer);
    const sendingSaga = sending(server, time);
    return {
      operations: { send: send(sendingSaga, time) },
      sagas: [sendingSaga],
      close: async () => server?.close(),
    };
  },
});
