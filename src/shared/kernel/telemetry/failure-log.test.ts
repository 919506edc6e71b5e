import { beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../context/index.ts';
import { FailureLog } from './failure-log.ts';
import type { Log } from './log.ts';

const message = 'a step failed';
let clock: ManualClock;
let lines: { level: string; error?: unknown; suppressed?: number }[];
let failures: FailureLog;

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  const at = (level: string) => (fields: object) => void lines.push({ level, ...fields });
  failures = new FailureLog({ error: at('error'), warn: at('warn'), info: at('info') } as unknown as Log, clock);
});

const here = (text: string) => new Error(text);

it('logs the first failure of a kind with its error, and counts the others within a minute', () => {
  const first = here('order 1');
  failures.add({ message, error: first, fields: { saga: 'a' } });
  for (let times = 0; times < 1_000; times++) failures.add({ message, error: here(`order ${times}`) });
  expect(lines).toEqual([{ level: 'error', error: first, saga: 'a' }]);
  clock.advance(60_000);
  const later = here('order 7');
  failures.add({ message, error: later });
  failures.add({ message, error: here('order 8') });
  expect(lines.slice(1)).toEqual([{ level: 'error', error: later, suppressed: 1_000 }]);
});

it('distinguishes failures by their message, kind, error code and the origin of the root cause', () => {
  failures.add({ message, error: here('x') });
  failures.add({ message: 'a handler failed', error: here('x') });
  failures.add({ message, kind: 'take payment', error: here('x') });
  failures.add({ message, error: new TypeError('x') });
  failures.add({ message, error: new Error('wrapped', { cause: new Error('elsewhere') }) });
  failures.add({ message, error: Object.assign(here('x'), { code: 'EIO' }) });
  failures.add({ message, error: 'a text' });
  expect(lines).toHaveLength(7);
  failures.add({ message, error: new Error('wrapped again', { cause: here('y') }), level: 'warn' });
  expect(lines).toHaveLength(7);
});

it('keeps at most 200 kinds, and logs all others as one', () => {
  for (let n = 0; n < 10_000; n++) failures.add({ message, kind: `kind ${n}`, error: here('x') });
  expect(lines).toHaveLength(201);
  clock.advance(60_000);
  failures.add({ message, kind: 'new', error: here('x') });
  expect(lines.slice(201)).toEqual([
    { level: 'warn', kind: 'any other', suppressed: 9_799 },
    { level: 'error', error: expect.any(Error) },
  ]);
});

it('continues to log when its clock steps back', () => {
  failures.add({ message, error: here('x') });
  clock.now = () => 0;
  failures.add({ message, error: here('x') });
  expect(lines).toHaveLength(2);
});
