import { command, contract, event, id, query, text } from 'kerf/contract';
import { z } from 'zod';
import { phone } from '../sms/contract.ts';

export const email = z.email().max(254);
const name = text(100, 1);

export const signUp = z.strictObject({
  email,
  password: z
    .string()
    .min(8)
    .max(200)
    .refine((value) => value.isWellFormed(), 'must be well-formed text'),
  name,
  phone: phone.optional(),
});
export const credentials = z.strictObject({ email, password: z.string().min(1).max(200) });
export const member = z.object({ id, email: z.string(), name: z.string() });
export const profile = member.extend({ phone: z.string().optional() });

/**
 * The module that welcomes a new member. `events`: the modules that subscribe. `router`: notifications, on a call from members.
 * `orchestrated`: members itself, with calls to mail and sms.
 */
export const wiring = z.enum(['events', 'router', 'orchestrated']);
export type Wiring = z.infer<typeof wiring>;

export const members = contract('members', {
  operations: {
    signUp: command({ summary: 'Sign up', input: signUp, output: member }),
    signIn: query({ summary: 'The member with these credentials', input: credentials, output: z.object({ id }) }),
    profile: query({ summary: 'A member', input: z.strictObject({ id }), output: profile }),
    displayName: query({
      summary: 'What others may see of a member',
      input: z.strictObject({ id }),
      output: z.object({ name: z.string() }),
    }),
  },
  events: {
    registered: event(
      'member-registered',
      1,
      'memberId',
      z.object({ memberId: id, email: z.string(), name: z.string(), phone: z.string().optional(), wiring }),
    ),
  },
  errors: {
    'email-taken': { status: 409, title: 'There is a member with this e-mail address' },
    'passwords-busy': {
      status: 503,
      title: 'Too many passwords are being checked',
      /** Seconds. */
      data: z.object({ retryAfter: z.int() }),
    },
    'bad-credentials': { status: 401, title: 'E-mail address or password is wrong' },
  },
});
