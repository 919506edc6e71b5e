import { z } from 'zod';
import { type Client, id } from '../../shared/kernel/contract/index.ts';
import { answer, Resources } from '../../shared/kernel/http-api/index.ts';
import { members, profile, signUp } from './contract.ts';

export function routes(self: Client<typeof members>): Resources {
  return new Resources('members', members)
    .post(
      '/members',
      'Sign up',
      {
        body: signUp,
        answers: { 201: z.object({ id, email: z.string(), name: z.string() }) },
        refusals: ['email-taken', 'passwords-busy'],
        costly: true,
      },
      async ({ body }) => answer(201, await self.signUp(body)),
    )
    .get('/members/me', 'The signed-in member', { member: true, answers: { 200: profile } }, async ({ member }) =>
      answer(200, await self.profile({ id: member })),
    );
}
