import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../kernel/context/index.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import { GrowingSignInLimit } from './sign-in-limit.ts';

const ann = 'ann@example.com';
const home = '203.0.113.1';
const attacker = '198.51.100.1';

describe('wrong passwords', () => {
  let clock: ManualClock;
  let limit: GrowingSignInLimit;
  beforeEach(() => {
    clock = new ManualClock();
    limit = new GrowingSignInLimit(clock);
  });
  afterEach(() => vi.useRealTimers());

  /** Makes an attempt with a wrong password. Returns the seconds to wait; 0 when the limit allows the attempt. */
  function guess(account: string, client: string): number {
    try {
      limit.begin(account, client);
      return 0;
    } catch (error) {
      if (!isRefusal(error, 'too-many-requests')) throw error;
      return error.data.retryAfter as number;
    }
  }
  const guesses = (count: number, account: string, client: string) =>
    Array.from({ length: count }, () => guess(account, client)).filter((waits) => waits === 0).length;
  const signIn = (account: string, client: string) => limit.begin(account, client).succeeded();

  it('have to wait longer and longer, and refused attempts do not count', () => {
    expect(guesses(1_000, ann, attacker)).toBe(10);
    const waits = [];
    for (let round = 0; round < 12; round++) {
      waits.push(guess(ann, attacker));
      guesses(100, ann, attacker);
      clock.advance(waits.at(-1)! * 1_000);
      expect(guess(ann, attacker)).toBe(0);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  it('from one address do not lock out the owner at another address', () => {
    guesses(1_000, ann, attacker);
    signIn(ann, home);
    expect(guess(ann, attacker)).toBe(1);
  });

  it('from many addresses do not lock out the owner at an earlier address of the owner', () => {
    signIn(ann, home);
    for (let each = 0; each < 500; each++) guesses(10, ann, `198.51.${each >> 8}.${each & 255}`);
    expect(guess(ann, '198.51.100.255')).toBeGreaterThan(0);
    expect(guess(ann, '198.51.100.255')).toBeLessThanOrEqual(30);
    signIn(ann, home);
  });

  it('of one client for many accounts have to wait, but not its known members', () => {
    signIn(ann, attacker);
    const through = Array.from({ length: 500 }, (_, each) => guess(`member-${each}@example.com`, attacker));
    expect(through.filter((waits) => waits === 0)).toHaveLength(100);
    signIn(ann, attacker);
  });

  it('of one IPv6 network count as one client', () => {
    const through = Array.from({ length: 50 }, (_, each) => guess(ann, `2001:db8::${each}`));
    expect(through.filter((waits) => waits === 0)).toHaveLength(10);
  });

  it('are forgotten after a correct password, and after an hour', () => {
    guesses(9, ann, home);
    signIn(ann, home);
    expect(guesses(1_000, ann, home)).toBe(10);
    clock.advance(60 * 60_000 + 1);
    expect(guesses(1_000, ann, home)).toBe(10);
  });

  it('do not wait longer when the clock steps back', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    limit = new GrowingSignInLimit();
    guesses(10, ann, home);
    vi.setSystemTime(Date.now() - 5 * 60 * 60_000);
    expect(guess(ann, home)).toBe(1);
  });

  it('are not counted when the outcome is unknown', () => {
    for (let each = 0; each < 1_000; each++) limit.begin(ann, home).undecided();
    expect(guesses(1_000, ann, home)).toBe(10);
  });
});
