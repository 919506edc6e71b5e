import { expect, it } from 'vitest';
import type { CallSource } from '../../kernel/calls/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import { type Condition, conditionsOf, undeliveredOf } from './conditions.ts';

/** Asks modules that give these answers; a module without an answer is away. */
function asked(answers: Record<string, Condition | undefined>, processes: Record<string, object[]> = {}) {
  const calls = ((operation: { module: string }) => async () => {
    const answer = answers[operation.module];
    if (!answer) throw refusal('unavailable', 'away');
    return answer;
  }) as unknown as CallSource;
  const names = Object.keys(answers);
  const away = async () => names.filter((name) => answers[name] === undefined);
  return conditionsOf(names, away, calls, { of: (name) => (processes[name] ?? []) as never[] })();
}

it('names modules by what they lack', async () => {
  const processes = {
    sms: [{ state: { kind: 'waiting' }, unresponsive: false }],
    board: [
      { state: { kind: 'ready' }, unresponsive: true },
      { state: { kind: 'ready' }, unresponsive: false },
    ],
  };
  const conditions = await asked(
    {
      orders: { writes: false, why: 'the disk is full' },
      mail: { writes: true, stopping: true, undelivered: ['notifications'] },
      sms: undefined,
      board: { writes: true, stopping: false, undelivered: [] },
    },
    processes,
  );
  expect(conditions).toEqual({
    away: ['sms'],
    unwritable: new Map([['orders', 'the disk is full']]),
    starting: ['sms'],
    unresponsive: ['board'],
    draining: ['mail'],
    undelivered: ['mail'],
  });
});

it('understands a process of an earlier release, which says only whether it can write', async () => {
  expect(await asked({ orders: { writes: true } })).toMatchObject({ draining: [], undelivered: [] });
  const { unwritable } = await asked({ orders: { writes: false } });
  expect(unwritable.get('orders')).toBe('the log of its process says why');
});

it('names recipients whose oldest event has waited for more than a minute', async () => {
  const oldest = [
    { recipient: 'mail', waitedMs: 60_001 },
    { recipient: 'sms', waitedMs: 59_000 },
  ];
  expect(await undeliveredOf(async () => oldest)).toEqual(['mail']);
  expect(await undeliveredOf(() => Promise.reject(new Error('damaged')))).toEqual([]);
});
