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
  it('are empty at first, without random draws', () => {
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
  ])('from %s to %s: applies is %s', (caller, operation, isMet) => {
    faults.set([fault({ caller, operation })]);
    expect(met() !== undefined).toBe(isMet);
  });

  it('apply one at a time: the first match, by chance', () => {
    const [other, first, second] = [fault({ caller: 'mail' }), fault({ share: 0.25 }), fault()];
    faults.set([other, first, second]);
    chance = 0.249;
    expect(met()).toBe(first);
    chance = 0.25;
    expect(met()).toBeUndefined();
  });

  it('apply to no call with share 0, and to all calls with share 1', () => {
    faults.set([fault({ share: 0 })]);
    expect(met()).toBeUndefined();
    faults.set([fault()]);
    chance = 1 - Number.EPSILON;
    expect(met()).toBeDefined();
  });

  it('expire, and then the next match applies', () => {
    const [short, long] = [fault(), fault({ until: clock.now() + 2_000 })];
    faults.set([short, long]);
    clock.advance(999);
    expect([met(), faults.list()]).toEqual([short, [short, long]]);
    clock.advance(1);
    expect([met(), faults.list()]).toEqual([long, [long]]);
    clock.advance(1_000);
    expect([met(), faults.list()]).toEqual([undefined, []]);
  });

  it('replace all earlier faults', () => {
    faults.set([fault({ error: 'internal' })]);
    faults.set([fault({ caller: 'mail' })]);
    expect([met(), faults.list().length]).toEqual([undefined, 1]);
    faults.set([]);
    expect(faults.list()).toEqual([]);
  });

  it('delay a call by their latency and a random part of their jitter', () => {
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

it("inside a module, a fault for gateway calls applies also to the module's calls to itself", () => {
  const faults = new CallFaults({ now: () => 0 });
  faults.set([{ caller: 'gateway', operation: 'orders.*', inside: 'block', share: 1, until: 1 }]);
  expect(['gateway', 'orders', 'payments'].map((caller) => faults.metInside(caller, 'orders', 'place'))).toEqual([
    'block',
    'block',
    undefined,
  ]);
  expect(faults.metInside('payments', 'payments', 'refund')).toBeUndefined();
});

describe('a requested fault', () => {
  const asked = { caller: 'orders', operation: 'payments.*', until: 1 };
  const isTaken = (parts: object) => callFaultSchema.safeParse({ ...asked, ...parts }).success;

  it('applies to every call by default', () => {
    expect(callFaultSchema.parse(asked)).toEqual({ ...asked, share: 1 });
  });

  it('may have any code of the kernel', () => {
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
