import { expect, it } from 'vitest';
import { ManualClock } from '../clock/index.ts';
import type { CallContext } from '../context/index.ts';
import { contract, nothing, query, text } from '../contract/index.ts';
import { refusal } from '../errors/index.ts';
import { UnderWay } from '../module/under-way.ts';
import { silentLog } from '../observability/index.ts';
import { answer, Resources } from '../routes/index.ts';
import type { Edge } from '../topology/index.ts';
import { Trial } from '../topology/trial.ts';
import { type CallRequest, ofKernel, type Transport } from '../transport/index.ts';
import { createInternalService, type InternalParts } from './internal-service.ts';

const shop = contract('shop', { operations: { open: query({ about: 'Opens', input: nothing, output: text(10) }) } });
const window = { method: 'get', path: '/window', about: 'Looks in', answers: { 200: text(10) } } as const;

/** A process that runs `shop`, and tries out another copy of it, which answers what `other` does. */
function processThatTriesOut(other: () => Promise<unknown>) {
  const here: Transport = {
    call: ({ operation, input, context }) => service.serveHere('shop', operation.name, input, context),
  };
  const trial = new Trial(here, { call: other } as unknown as Edge, new ManualClock());
  const definition = {
    contract: shop,
    about: { name: 'shop', uses: [], listensTo: [] },
    routes: () => new Resources('shop').add(window, async () => answer(200, 'here')),
  };
  const open = new Map([['shop', { dispatch: async () => 'here', underWay: new UnderWay() }]]);
  const parts = {
    definitions: [definition],
    inside: { open },
    directory: { of: () => ({ state: 'here', transport: trial, trial }) },
    calls: () => async () => 'here',
    log: silentLog,
  };
  const service = createInternalService(parts as unknown as InternalParts);
  const context: CallContext = { requestId: 'r', caller: 'gateway', deadline: Date.now() + 5_000 };
  const passedOn = { method: 'GET', path: '/window', headers: {}, body: '' };
  return {
    trial,
    asked: () => service.serve('shop', 'open', {}, context),
    lookedAt: () => trial.call({ operation: ofKernel('read', 'shop'), input: passedOn, context } as CallRequest),
  };
}

it('counts and mirrors what other processes ask while another copy is tried out', async () => {
  const { trial, asked } = processThatTriesOut(async () => 'there');
  trial.mirrors = true;
  expect(await asked()).toBe('here');
  await expect.poll(() => trial.compared.different).toBe(1);
  expect(trial.before.counts).toMatchObject({ calls: 1, failures: 0 });
});

it('sends its part of what other processes ask to the copy that is tried out', async () => {
  const { trial, asked } = processThatTriesOut(async () => 'there');
  trial.share = 1;
  expect(await asked()).toBe('there');
  expect([trial.other.counts.calls, trial.before.counts.calls]).toEqual([1, 0]);
});

it('serves a public request itself when the copy that is tried out cannot be asked', async () => {
  const { trial, lookedAt } = processThatTriesOut(() =>
    Promise.reject(refusal('unavailable', 'nobody is there', {}, { cause: new Error('refused') })),
  );
  trial.share = 1;
  expect(await lookedAt()).toMatchObject({ status: 200, body: '"here"' });
});
