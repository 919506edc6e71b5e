import { instant } from 'kerf/contract';
import { isRefusal } from 'kerf/errors';
import { answer, type Composition, Resources } from 'kerf/http-api';
import { z } from 'zod';
import { credentials, members } from '../modules/members/contract.ts';

/** Signs members in and out. Members checks the password; only the gateway holds the keys that sign a session. */
export const sessions: Composition = {
  name: 'sessions',
  uses: [members],
  routes({ client, sessions: tokens, signInLimit, session, clientAddress }) {
    const people = client(members);
    return new Resources('members', members)
      .add(
        {
          method: 'post',
          path: '/sessions',
          summary: 'Sign in',
          body: credentials,
          answers: { 201: z.object({ token: z.string(), expiresAt: instant }) },
          refusals: ['bad-credentials', 'passwords-busy'],
          costly: true,
        },
        async ({ body }) => {
          const attempt = signInLimit.begin(body.email.toLowerCase(), clientAddress());
          const { id } = await people.signIn(body).catch((error: unknown) => {
            if (!isRefusal(error, 'bad-credentials')) attempt.undecided();
            throw error;
          });
          attempt.succeeded();
          return answer(201, await tokens.issue(id));
        },
      )
      .add(
        {
          method: 'delete',
          path: '/sessions/current',
          summary: 'Sign out: the token is refused from now on',
          member: true,
          answers: { 204: z.undefined() },
        },
        async () => {
          tokens.end(session()!);
          return answer(204, undefined);
        },
      );
  },
};
