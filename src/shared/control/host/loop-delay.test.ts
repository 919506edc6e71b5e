import { expect, it } from 'vitest';
import { ManualClock } from '../../kernel/context/index.ts';
import { LoopDelay } from './loop-delay.ts';

/** A clock whose loop can be blocked: the time goes on, and due tasks run late. */
class BlockingClock extends ManualClock {
  #aheadMs = 0;

  override now(): number {
    return super.now() + this.#aheadMs;
  }

  block(forMs: number): void {
    this.#aheadMs += forMs;
  }
}

it('reports no delay while the loop turns', () => {
  const clock = new BlockingClock();
  const loop = new LoopDelay(clock);
  clock.advance(60_000);
  expect([loop.longestMs, loop.blocked]).toEqual([0, false]);
});

it('reports a delay that has just ended, before the timer of the loop runs', () => {
  const clock = new BlockingClock();
  const loop = new LoopDelay(clock);
  clock.block(12_000);
  expect([loop.longestMs, loop.blocked]).toEqual([11_500, true]);
});

it('remembers a delay for ten to twenty seconds', () => {
  const clock = new BlockingClock();
  const loop = new LoopDelay(clock);
  clock.block(12_000);
  clock.advance(500);
  expect([loop.longestMs, loop.blocked]).toEqual([12_000, true]);
  clock.advance(9_500);
  expect(loop.blocked).toBe(true);
  clock.advance(10_500);
  expect([loop.longestMs, loop.blocked]).toEqual([0, false]);
});

it('does not call a busy loop blocked', () => {
  const clock = new BlockingClock();
  const loop = new LoopDelay(clock);
  for (let second = 0; second < 30; second++) {
    clock.block(3_000);
    clock.advance(500);
  }
  expect([loop.longestMs, loop.blocked]).toEqual([3_000, false]);
});
