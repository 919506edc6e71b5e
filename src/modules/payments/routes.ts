import type { Client } from 'kerf/contract';
import { answer, idParam, Resources } from 'kerf/http-api';
import { payment, payments } from './contract.ts';

export function routes(self: Client<typeof payments>): Resources {
  return new Resources('payments', payments).get(
    '/payments/:id',
    'Your payment',
    { member: true, params: idParam, answers: { 200: payment }, refusals: ['not-found'] },
    async ({ params, member }) => answer(200, await self.get({ id: params.id, memberId: member })),
  );
}
