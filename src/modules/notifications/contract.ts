import { command, contract, id, instant, page, pageRequest, query, text } from 'kerf/contract';
import { z } from 'zod';

export const message = z.object({
  id,
  channel: z.enum(['mail', 'sms']),
  subject: z.string(),
  status: z.enum(['queued', 'sent', 'failed']),
  at: instant,
});
export type Message = z.infer<typeof message>;

export const notifications = contract('notifications', {
  operations: {
    welcome: command({
      summary: 'Welcomes a new member by every channel there is',
      input: z.strictObject({ memberId: id, email: z.email(), name: text(100, 1), phone: z.string().optional() }),
      output: z.strictObject({}),
    }),
    history: query({
      summary: 'The messages to a member, of one order or all, the latest first',
      input: pageRequest.extend({ memberId: id, orderId: id.optional() }),
      output: page(message),
    }),
  },
});
