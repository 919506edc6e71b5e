import { type Client, page } from 'kerf/contract';
import { answer, pageQuery, Resources } from 'kerf/http-api';
import { message, notifications } from './contract.ts';

export function routes(self: Client<typeof notifications>): Resources {
  return new Resources('notifications', notifications).get(
    '/messages',
    'Mail and text messages to you',
    { member: true, query: pageQuery, answers: { 200: page(message) } },
    async ({ query, member }) => answer(200, await self.history({ ...query, memberId: member })),
  );
}
