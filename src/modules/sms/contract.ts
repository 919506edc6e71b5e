import { command, contract, event, id, text } from 'kerf/contract';
import { z } from 'zod';

export const phone = z
  .string()
  .regex(/^\+?[0-9][0-9 -]{4,18}[0-9]$/, 'must be a phone number such as +82 10 1234 5678');

const message = z.object({ messageId: id, memberId: id, text: z.string() });

export const sms = contract('sms', {
  operations: {
    send: command({
      summary: 'Sends a text message; the same messageId is the same message, once',
      input: z.strictObject({ messageId: id, memberId: id, to: phone, text: text(1_000, 1) }),
      output: z.object({ messageId: id }),
    }),
  },
  events: {
    sent: event('sms-sent', 1, 'messageId', message),
    failed: event('sms-failed', 1, 'messageId', message.extend({ reason: z.string() })),
  },
  errors: {
    undeliverable: { status: 422, title: 'The provider will never take this message' },
  },
});
