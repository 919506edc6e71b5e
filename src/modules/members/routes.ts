import type { Client } from 'kerf/contract';
import { answer, Resources } from 'kerf/http-api';
import { member, members, profile, signUp } from './contract.ts';

export function routes(self: Client<typeof members>): Resources {
  return new Resources('members', members)
    .post(
      '/members',
      'Sign up',
      { body: signUp, answers: { 201: member }, refusals: ['email-taken', 'passwords-busy'], costly: true },
      async ({ body }) => answer(201, await self.signUp(body)),
    )
    .get('/members/me', 'The signed-in member', { member: true, answers: { 200: profile } }, async ({ member: id }) =>
      answer(200, await self.profile({ id })),
    );
}
