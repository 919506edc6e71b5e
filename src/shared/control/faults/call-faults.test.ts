import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../kernel/context/index.ts';
import { kernelCodes } from '../../kernel/errors/index.ts';
import { type CallFault, callFaultSchema } from '../admin-contract/index.ts';
import { CallFaults } from './call-faults.ts';

let clock: ManualClock;
let chance: number;
let drawn: number;
let faults: CallFaults;

beforeEach(() => {
  clock = new ManualClock();
  [chance, drawn] = [0, 0];
  faults = new CallFaults(clock, () => {
    drawn += 1;
    return chance;
  });
});

const fault = (parts: Partial<CallFault> = {}): CallFault => ({
  ...{ caller: '*', operation: '*', share: 1, until: clock.now() + 1_000 },
  ...parts,
});
const met = () => faults.met('orders', 'payments', 'authorize');

describe('the faults of a process', () => {
  it('are none at first, nor draw lots', () => {
    expect([met(), faults.list(), drawn]).toEqual([undefined, [], 0]);
  });

  it.each<[caller: string, operation: string, isMet: boolean]>([
    ['*', '*', true],
    ['orders', '*', true],
    ['order', '*', false],
    ['gateway', '*', false],
    ['*', 'payments.*', true],
    ['*', 'payments.authorize', true],
    ['*', 'payments.capture', false],
    ['*', 'payments.auth*', false],
    ['*', 'payments', false],
    ['*', '*.authorize', false],
    ['*', 'orders.*', false],
    ['orders', 'payments.authorize', true],
    ['gateway', 'payments.authorize', false],
  ])('from %s to %s: met is %s', (caller, operation, isMet) => {
    faults.set([fault({ caller, operation })]);
    expect(met() !== undefined).toBe(isMet);
  });

  it('are met one at a time: the first that fits, when chance has it', () => {
    const [other, first, second] = [fault({ caller: 'mail' }), fault({ share: 0.25 }), fault()];
    faults.set([other, first, second]);
    chance = 0.249;
    expect(met()).toBe(first);
    chance = 0.25;
    expect(met()).toBeUndefined();
  });

  it('are met by none of the calls, or by all, as their share says', () => {
    faults.set([fault({ share: 0 })]);
    expect(met()).toBeUndefined();
    faults.set([fault()]);
    chance = 1 - Number.EPSILON;
    expect(met()).toBeDefined();
  });

  it('make room for those behind them when they are over', () => {
    const [short, long] = [fault(), fault({ until: clock.now() + 2_000 })];
    faults.set([short, long]);
    clock.advance(999);
    expect([met(), faults.list()]).toEqual([short, [short, long]]);
    clock.advance(1);
    expect([met(), faults.list()]).toEqual([long, [long]]);
    clock.advance(1_000);
    expect([met(), faults.list()]).toEqual([undefined, []]);
  });

  it('take the place of those that were', () => {
    faults.set([fault({ error: 'internal' })]);
    faults.set([fault({ caller: 'mail' })]);
    expect([met(), faults.list().length]).toEqual([undefined, 1]);
    faults.set([]);
    expect(faults.list()).toEqual([]);
  });

  it('hold a call up for their latency, and by chance for their jitter', () => {
    const delays = [{}, { latencyMs: 100 }, { jitterMs: 50 }, { latencyMs: 100, jitterMs: 50 }].map((each) => {
      return [0, 0.5, 1 - Number.EPSILON].map((each_) => {
        chance = each_;
        return faults.delayOf(fault(each));
      });
    });
    expect(delays).toEqual([
      [0, 0, 0],
      [100, 100, 100],
      [0, 25, 50],
      [100, 125, 150],
    ]);
  });
});

it('inside a module is met by its calls to itself where it is put on those of the gateway, which they serve', () => {
  const faults = new CallFaults({ now: () => 0 });
  faults.set([{ caller: 'gateway', operation: 'orders.*', inside: 'block', share: 1, until: 1 }]);
  expect(['gateway', 'orders', 'payments'].map((caller) => faults.metInside(caller, 'orders', 'place'))).toEqual([
    'block',
    'block',
    undefined,
  ]);
  expect(faults.metInside('payments', 'payments', 'refund')).toBeUndefined();
});

describe('a fault that is asked for', () => {
  const asked = { caller: 'orders', operation: 'payments.*', until: 1 };
  const isTaken = (parts: object) => callFaultSchema.safeParse({ ...asked, ...parts }).success;

  it('is met by every call where nothing else is said', () => {
    expect(callFaultSchema.parse(asked)).toEqual({ ...asked, share: 1 });
  });

  it('has any of the codes of the kernel', () => {
    expect(Object.keys(kernelCodes).filter((error) => !isTaken({ error }))).toEqual([]);
    expect(callFaultSchema.safeParse({ ...asked, error: 'too-late' }).error!.issues[0]!.message).toContain(
      'must be one of malformed-request',
    );
  });

  it.each([
    { caller: '' },
    { operation: '' },
    { latencyMs: -1 },
    { latencyMs: 60_001 },
    { jitterMs: 1.5 },
    { lose: 'both' },
    { share: 1.1 },
    { share: -0.1 },
    { shares: 1 },
  ])('is refused with %j', (parts) => {
    expect(isTaken(parts)).toBe(false);
  });
});
