import { request } from 'node:http';
import { expect, it } from 'vitest';
import { isNotSent } from '../../kernel/calls/index.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import { defaultSilence } from '../../kernel/ports/index.ts';
import { Exchange } from './exchange.ts';
import { callLine, openCallee } from './http.cases.ts';

it('a closed exchange refuses new calls immediately, as not-sent', async () => {
  const { address, close } = await openCallee();
  const exchange = new Exchange('sample', request(`${address}/modules/sample`, { method: 'POST' }), defaultSilence);
  exchange.destroy();
  const answer = new Promise((resolve, reject) => {
    exchange.add(1, callLine(1, 'echo', { text: 'x' }), { resolve, reject });
    process.nextTick(resolve, 'nothing');
  });
  const error = await answer.catch((error: unknown) => error);
  expect([isRefusal(error, 'unavailable'), isNotSent(error)]).toEqual([true, true]);
  await close();
});
