import { command, contract, event, id, text } from 'kerf/contract';
import { z } from 'zod';

const message = z.object({ messageId: id, memberId: id, subject: z.string() });

export const mail = contract('mail', {
  operations: {
    send: command({
      summary: 'Sends a mail; the same messageId is the same mail, once',
      input: z.strictObject({
        messageId: id,
        memberId: id,
        to: z.email().max(254),
        subject: text(200, 1).regex(/^[^\r\n]*$/, 'must be one line'),
        text: text(20_000),
      }),
      output: z.object({ messageId: id }),
    }),
  },
  events: {
    sent: event('mail-sent', 1, 'messageId', message),
    bounced: event('mail-bounced', 1, 'messageId', message.extend({ reason: z.string() })),
  },
  errors: {
    bounced: { status: 422, title: 'The server will never take this mail' },
  },
});
