import { expect, it } from 'vitest';
import { ofKernel } from '../../kernel/calls/index.ts';
import { type CallContext, systemClock as clock } from '../../kernel/context/index.ts';
import { contract, nothing, query, text } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import { answer, Resources } from '../../kernel/http-api/index.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { TrafficSplit } from '../relocation/index.ts';
import { Admission, Directory, LiveAddresses } from '../routing/index.ts';
import { createInternalService, type InternalServiceDependencies } from './internal-service.ts';

const shop = contract('shop', { operations: { open: query({ summary: 'Opens', input: nothing, output: text(10) }) } });
const window = { method: 'get', path: '/window', summary: 'Looks in', answers: { 200: text(10) } } as const;

/** Creates a process that runs `shop` and tries out another replica of it. `other` gives the answers of that replica. */
function processThatTriesOut(other: () => Promise<unknown>) {
  const directory = new Directory({
    ...{ modules: ['shop'], parity: 'fast', policies: {}, clock, log: silentLog },
    random: Math.random,
    connect: () => ({ call: other, close: async () => {} }),
  });
  const definition = {
    contract: shop,
    about: { name: 'shop', uses: [], listensTo: [] },
    routes: () => new Resources('shop').add(window, async () => answer(200, 'here')),
  };
  const inFlight = { until: (work: Promise<unknown>) => work };
  const open = new Map([['shop', { dispatch: async () => 'here', inFlight, admission: new Admission({ clock }) }]]);
  const calls = () => async () => 'here';
  const parts = { definitions: [definition], here: { open }, directory, calls, logs: { of: () => silentLog } };
  const service = createInternalService(parts as unknown as InternalServiceDependencies);
  directory.here('shop', (operation, input, context) => service.serveHere('shop', operation, input, context));
  const split = directory.divert(
    'shop',
    new LiveAddresses(['http://127.0.0.1:1']),
    (...ways) => new TrafficSplit(...ways),
  );
  const context: CallContext = { requestId: 'r', caller: 'gateway', deadline: clock.now() + 5_000 };
  const passedOn = { method: 'GET', path: '/window', headers: {}, body: '' };
  return {
    split,
    asked: () => service.serve('shop', 'open', {}, context),
    lookedAt: () =>
      directory.routeTo('shop').transport.call({ operation: ofKernel('read', 'shop'), input: passedOn, context }),
  };
}

it('counts and mirrors calls of other processes during a trial of another replica', async () => {
  const { split, asked } = processThatTriesOut(async () => 'there');
  const answers: unknown[] = [];
  split.onAnswer = (_request, _way, answer) => answers.push(answer);
  expect(await asked()).toBe('here');
  await expect.poll(() => answers).toEqual(['here']);
  expect(split.current.counts).toMatchObject({ calls: 1, failures: 0 });
});

it('sends a share of the calls of other processes to the replica on trial', async () => {
  const { split, asked } = processThatTriesOut(async () => 'there');
  split.share = 1;
  expect(await asked()).toBe('there');
  expect([split.candidate.counts.calls, split.current.counts.calls]).toEqual([1, 0]);
});

it('serves a public request itself when the replica on trial cannot be reached', async () => {
  const { split, lookedAt } = processThatTriesOut(() =>
    Promise.reject(refusal('unavailable', 'nobody is there', {}, { cause: new Error('refused') })),
  );
  split.share = 1;
  expect(await lookedAt()).toMatchObject({ status: 200, body: '"here"' });
});
