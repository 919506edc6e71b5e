import { expect, it } from 'vitest';
import { contract, event, id, nothing, query, text } from '../../kernel/contract/index.ts';
import { Refusal, refusal } from '../../kernel/errors/index.ts';
import { defineModule } from '../../kernel/module/index.ts';
import { CallMetrics } from './calls.ts';
import { formFor, write } from './exposition.ts';
import { Happenings } from './happenings.ts';
import { KnownNames } from './known-names.ts';

const shop = contract('shop', {
  operations: { open: query({ summary: 'Opens', input: nothing, output: text(10) }) },
  events: { opened: event('shop-opened', 2, 'id', nothing.extend({ id })) },
  errors: { closed: { status: 409, title: 'It is closed' } },
});
const definition = defineModule({
  contract: shop,
  about: { name: 'shop', owner: 'tests', about: 'Sells', uses: [], listensTo: [] },
  migrations: [],
  open: () => ({ operations: { open: async () => 'open' } }),
});
const names = new KnownNames([definition], ['rabbitmq']);
const evil = (n: number) => `${n}"} 1\nkerf_up{x="\\`;

/** Returns the series of a text, without their values. */
function seriesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : line.replace(/ [^ ]+$/, '')));
}

it('has no more series, whatever names come with requests, answers and events', async () => {
  const [calls, happenings] = [new CallMetrics(names), new Happenings(names)];
  const { open } = shop.operations;
  const served = calls.served(open);
  const drive = async (name: string, status: number) => {
    happenings.requestEnded({ method: name, route: undefined, status, ms: 1, trace: undefined });
    happenings.dispatched({ module: 'shop', recipient: name, events: 1, ms: 1, failed: false });
    happenings.handled({ module: 'shop', type: name, ms: 1, failed: true });
    happenings.retried({ caller: name, module: 'shop', operation: 'open' });
    served.answered(name);
    served.failed(name, new Refusal(name, 409, 'No'));
    const answer = Promise.reject(new Refusal(name, 409, 'No'));
    const context = { requestId: name, caller: name, deadline: 0 };
    calls.sent({ operation: open, input: {}, context }, undefined, answer);
    served.remote(context, answer);
    await answer.catch(() => {});
  };
  const read = async () => seriesOf(await write([...calls.families(), ...happenings.families()], 'prometheus'));
  await drive('a stranger', 999);
  const before = await read();
  for (let n = 0; n < 1_000; n++) await drive(evil(n), 1_000 + n);
  expect(await read()).toEqual(before);
  expect(new Set(before).size).toBe(before.length);
});

it('keeps the codes that contracts declare, the versions of their events, and brokers', () => {
  const outcomes = [shop.refuse('closed'), refusal('timeout'), new Error('no'), new Refusal('strange', 409, 'No')];
  expect(outcomes.map((error) => names.outcome('shop', error))).toEqual(['closed', 'timeout', 'error', 'other']);
  expect(['shop.shop-opened.v2', 'shop.shop-opened.v1'].map((type) => names.event(type))).toEqual([
    'shop.shop-opened.v2',
    'other',
  ]);
  expect(['shop', 'rabbitmq', 'x'].map((name) => names.recipient(name))).toEqual(['shop', 'rabbitmq', 'other']);
});

it('counts each call within the process, and times one of many', async () => {
  const calls = new CallMetrics(names);
  const served = calls.served(shop.operations.open);
  served.timed({ requestId: 'r', caller: 'gateway', deadline: 0 }, Promise.resolve());
  await Promise.resolve();
  for (let n = 0; n < 5; n++) served.answered('gateway');
  served.cancelled('gateway', 'late');
  // The module comes back after a move.
  calls.served(shop.operations.open).answered('gateway');
  const written = await write(calls.families(), 'prometheus');
  const edge = 'caller="gateway",module="shop",operation="open",placement="in-process",transport="none"';
  expect(written).toContain(`kerf_calls_total{${edge},outcome="ok"} 6\n`);
  expect(written).toContain(`kerf_calls_total{${edge},outcome="timeout"} 1\n`);
  expect(written).toContain(`kerf_call_duration_seconds_count{${edge}} 1\n`);
});

it('escapes labels, and has exemplars in OpenMetrics only', async () => {
  const exemplar = { traceId: 'abc', value: 0.2, at: 7 };
  const sample = { labels: { x: 'a"b\nc\\' }, value: 1 };
  const family = { name: 'kerf_x_total', help: 'X', type: 'counter' as const, samples: [{ ...sample, exemplar }] };
  const escaped = 'kerf_x_total{x="a\\"b\\nc\\\\"} 1';
  expect(await write([family], 'prometheus')).toContain(`# TYPE kerf_x_total counter\n${escaped}\n`);
  expect(await write([family], 'openmetrics')).toBe(
    `# HELP kerf_x X\n# TYPE kerf_x counter\n${escaped} # {trace_id="abc"} 0.2 7\n# EOF\n`,
  );
  expect(await write([family], 'prometheus')).toContain(escaped);
});

it('answers in the form that a scraper asks for', () => {
  const prometheus = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  expect([formFor(prometheus), formFor('text/plain'), formFor()]).toEqual(['openmetrics', 'prometheus', 'prometheus']);
});
