import { type Client, page } from '../../shared/kernel/contract/index.ts';
import { answer, pageQuery, Resources } from '../../shared/kernel/http-api/index.ts';
import { message, notifications } from './contract.ts';

export function routes(self: Client<typeof notifications>): Resources {
  return new Resources('notifications', notifications).get(
    '/messages',
    'Mail and text messages to you',
    { member: true, query: pageQuery, answers: { 200: page(message) } },
    async ({ query, member }) => answer(200, await self.history({ ...query, memberId: member })),
  );
}
