import { z } from 'zod';
import { credentials, members } from '../modules/members/contract.ts';
import { instant } from '../shared/contract/index.ts';
import { type Composition, FailureLimit } from '../shared/gateway/index.ts';
import { answer, Resources } from '../shared/routes/index.ts';

const failuresPerMinute = 20;

/** Members knows who fits a password; the gateway alone holds the keys that sign a session. */
export const sessions: Composition = {
  name: 'sessions',
  uses: [members],
  routes({ client, sessions: tokens }) {
    const people = client(members);
    const limit = new FailureLimit(failuresPerMinute, 60);
    return new Resources('members', members).add(
      {
        method: 'post',
        path: '/sessions',
        about: 'Sign in',
        body: credentials,
        answers: { 201: z.object({ token: z.string(), expiresAt: instant }) },
        refusals: ['bad-credentials'],
      },
      async ({ body }) => {
        const key = body.email.toLowerCase();
        await limit.attempt(key);
        const { id } = await people.signIn(body);
        await limit.succeeded(key);
        return answer(201, await tokens.issue(id));
      },
    );
  },
};
