import { expect, it } from 'vitest';
import {
  answers,
  certificates,
  clocks,
  disks,
  load,
  skewOf,
  telemetry,
  versions,
} from '../../scripts/doctor/processes.ts';
import { deadLetters, outbox, readiness, type System, stuckSagas } from '../../scripts/doctor/system.ts';
import { dayMs } from '../../scripts/doctor/units.ts';
import type { AskedProcess, ProcessFacts } from '../../src/shared/control/admin-contract/index.ts';

const now = Date.UTC(2026, 10, 30);
const levels = (findings: readonly { level: string }[]) => findings.map(({ level }) => level);

/** A process that answered within 4 ms, half of it in the process. */
function asked(
  name: string,
  facts: Partial<ProcessFacts> = {},
  pid = name === 'home' ? 1 : name.length,
): AskedProcess & { facts: ProcessFacts } {
  return {
    ...{ module: name, address: null, sentAt: now, receivedAt: now + 4 },
    facts: {
      ...{
        name,
        host: 'here',
        pid,
        node: 'v24.21.0',
        receivedAt: now + 1,
        sentAt: now + 3,
        steppedMs: 0,
        loopDelayMs: 5,
      },
      ...{ memory: { usedBytes: 1, limitBytes: 0 }, files: { open: 10, limit: 1_000 } },
      disk: { folder: '/data', freeBytes: 1e12, freeFiles: 1e6, files: 1e6 },
      ...{ certificates: [], identity: null, exporters: [], contracts: { orders: 'a', mail: 'b' }, modules: [] },
      ...facts,
    },
  };
}
const home = asked('home');

it('processes: names a process that does not answer, and each other once', () => {
  const silent = { module: 'mail', address: 'http://10.0.0.7:4105', sentAt: now, receivedAt: now, why: 'it is away' };
  const found = answers([home, asked('sms,board'), asked('sms,board'), silent]);
  expect(found[0]).toEqual({ level: 'ok', what: 'home (process 1), sms,board (process 9)' });
  expect(found[1]).toMatchObject({ level: 'error', what: 'mail at http://10.0.0.7:4105 does not answer: it is away' });
  expect(answers([home, { ...silent, address: null }])[1]?.what).toBe('mail does not answer: it is away');
});

it('versions: sees another Node.js, and another contract; a process that knows fewer modules is fine', () => {
  expect(levels(versions([home, asked('mail', { contracts: { mail: 'b' } })]))).toEqual(['ok']);
  const found = versions([home, asked('mail', { node: 'v24.0.0', contracts: { orders: 'a', mail: 'c' } })]);
  expect(levels(found)).toEqual(['warning', 'warning']);
  expect(found[1]?.what).toContain('knows another contract of mail than the home process');
});

it.each([
  [0, 'ok'],
  [499, 'ok'],
  [700, 'warning'],
  [-700, 'warning'],
  [5_100, 'error'],
  [-4 * 60_000, 'error'],
])('clocks: judges a clock that is %i ms ahead', (aheadMs, level) => {
  const mail = asked('mail', { receivedAt: now + 1 + aheadMs, sentAt: now + 3 + aheadMs });
  expect(skewOf(mail)).toEqual({ offsetMs: aheadMs, errorMs: 1 });
  expect(levels(clocks([home, mail]))).toEqual([level]);
});

it('clocks: does not blame a clock for a slow answer, but says that it knows no better', () => {
  const slow = { ...asked('mail', { receivedAt: now + 2_900, sentAt: now + 2_900 }), receivedAt: now + 3_000 };
  expect(clocks([home, slow])).toEqual([
    {
      level: 'warning',
      what: expect.stringContaining('the answer took too long to say more'),
      todo: expect.any(String),
    },
  ]);
  const busy = { ...asked('mail', { receivedAt: now + 1, sentAt: now + 2_999 }), receivedAt: now + 3_000 };
  expect(levels(clocks([home, busy]))).toEqual(['ok']);
});

it('clocks: tells of a clock that has stepped', () => {
  expect(clocks([asked('home', { steppedMs: -3_600_000 })])[0]).toMatchObject({
    level: 'warning',
    what: expect.stringContaining('has stepped by -3600000 ms'),
  });
});

it('load: sees a blocked loop, many open files, and little memory', () => {
  expect(levels(load([home, asked('mail', { files: null })]))).toEqual(['ok']);
  const memory = { usedBytes: 900, limitBytes: 1_000 };
  expect(levels(load([asked('home', { loopDelayMs: 4_000, files: { open: 900, limit: 1_000 }, memory })]))).toEqual([
    ...['warning', 'warning', 'warning'],
  ]);
});

it('disks: judges each data folder once', () => {
  const full = { folder: '/full', freeBytes: 4_096, freeFiles: 1e6, files: 1e6 };
  expect(levels(disks([home, asked('mail'), asked('sms', { disk: full })]))).toEqual(['ok', 'error']);
});

it('identities: sees TLS certificates that end, identity files that end, and identities that are not renewed', () => {
  const until = (identity: ProcessFacts['identity'], left?: number) =>
    certificates(
      [
        asked('mail', {
          identity,
          certificates: left === undefined ? [] : [{ setting: 'INTERNAL_TLS_CERT', until: now + left }],
        }),
      ],
      now,
    );
  expect(levels(until({ until: now + dayMs / 2 }, 90 * dayMs))).toEqual(['ok']);
  expect(until(null, 13 * dayMs)[0]).toMatchObject({
    level: 'warning',
    what: expect.stringContaining('INTERNAL_TLS_CERT of mail'),
  });
  expect(levels(until(null, -1))).toEqual(['error']);
  expect(levels(until({ until: now + 10 * dayMs, file: 'mail.identity' }))).toEqual(['warning']);
  expect(until({ until: now + 60_000 })[0]?.what).toContain('was not renewed');
  expect(until({ until: now - 1 })[0]?.what).toContain('has ended');
});

it('telemetry: names the settings of exporters, by process', () => {
  const found = telemetry([home, asked('mail', { exporters: ['OTEL_TRACES_EXPORTER'] })]);
  expect(found.map(({ what }) => what)).toEqual([
    'no exporter is set in home (process 1)',
    'exporters by OTEL_TRACES_EXPORTER in mail (process 4)',
  ]);
});

const lacking: System['readiness'] = {
  ...{ away: [], starting: [], unresponsive: [], draining: [], undelivered: [], unwritable: {} },
};

it('readiness: says what each module lacks, with the reason', () => {
  expect(levels(readiness({ readiness: lacking }))).toEqual(['ok']);
  const found = readiness({
    readiness: { ...lacking, away: ['mail'], starting: ['mail'], unwritable: { orders: 'full' } },
  });
  expect(found.map(({ level, what }) => `${level}: ${what}`).sort()).toEqual([
    'error: mail cannot be reached',
    'error: orders cannot write: full',
    'warning: mail has a process that is starting, or starts again and again',
  ]);
});

const answering = (items: object[]) => async () => items as never;

it('outbox: says how long an event has waited, and for whom', async () => {
  const waits = (waitedMs: number) => [
    asked('home', { modules: [{ name: 'orders', oldestEvents: [{ recipient: 'mail', waitedMs }] }] }),
  ];
  const rows = answering([
    { module: 'orders', recipient: 'mail', state: 'pending', count: 3 },
    { module: 'orders', recipient: 'mail', state: 'dead', count: 7 },
    { module: 'mail', held: 'pending', count: 2 },
    { module: 'sms', state: 'unreachable', why: 'it does not run' },
  ]);
  expect(await outbox({ processes: waits(100), rows })).toEqual([
    { level: 'ok', what: '3 events in outboxes, none for over a minute; not asked: sms' },
  ]);
  expect(await outbox({ processes: waits(10 * 60_000), rows })).toEqual([
    { level: 'warning', what: 'an event of orders has waited for mail for 10 min', todo: expect.any(String) },
  ]);
  expect(levels(await outbox({ processes: waits(2 * dayMs), rows }))).toEqual(['error']);
  // The replicas of a module share its outbox, and a process is asked once for each of its modules.
  const [first, second] = [waits(10 * 60_000), waits(9 * 60_000)];
  expect(await outbox({ processes: [...second, ...first, ...second], rows })).toEqual([
    { level: 'warning', what: 'an event of orders has waited for mail for 10 min', todo: expect.any(String) },
  ]);
});

it('dead letters and sagas: count those that need a person, by module', async () => {
  const letter = { module: 'mail', type: 'orders.order-placed.v1', state: 'dead' };
  const away = { module: 'sms', state: 'unreachable', why: 'it does not run' };
  const letters = await deadLetters({ rows: answering([letter, letter, { ...letter, state: 'discarded' }, away]) });
  expect(letters).toEqual([
    { level: 'warning', what: 'mail: 2 dead letters', todo: expect.stringContaining('npx kerf dead-letters') },
  ]);
  expect(await deadLetters({ rows: answering([away]) })).toEqual([
    { level: 'ok', what: 'no dead letter; not asked: sms' },
  ]);
  const sagas = await stuckSagas({ rows: answering([{ module: 'orders', state: 'stuck' }, away]) });
  expect(sagas).toEqual([
    { level: 'warning', what: 'orders: 1 stuck saga', todo: expect.stringContaining('npx kerf sagas') },
  ]);
});
