import { expect, it } from 'vitest';
import { surenessOfExcess } from './evidence.ts';

const share = (hits: number, of: number) => ({ hits, of });

it.each([
  ['knows nothing before anything was seen', share(0, 0), share(0, 0), 0, 0.5],
  ['is divided when both did alike', share(10, 100), share(10, 100), 0, 0.5],
  ['hardly doubts one that never failed', share(0, 300), share(0, 300), 0.01, 0.007],
  ['cannot know after a few calls', share(0, 10), share(0, 1_000), 0.01, 0.65],
  ['takes one failure of few for a sign, not for a proof', share(1, 20), share(0, 400), 0.01, 0.95],
  ['is sure of many', share(15, 150), share(3, 1_500), 0.01, 1],
  ['counts what is allowed', share(15, 150), share(3, 1_500), 0.2, 0],
  ['needs no calls of the other side to doubt nothing', share(50, 100), share(0, 0), 0, 0.5],
])('%s', (_, one, other, margin, sure) => {
  expect(surenessOfExcess(one, other, margin)).toBeCloseTo(sure, 1);
});

it('is as sure as can be of rates that have no doubt left', () => {
  expect(surenessOfExcess(share(1_000_000, 1_000_000), share(0, 1_000_000), 0.5)).toBeCloseTo(1, 9);
  expect(surenessOfExcess(share(0, 1_000_000), share(1_000_000, 1_000_000), 0)).toBeCloseTo(0, 9);
});

it('is sure of an excess or of its opposite, but for the margin', () => {
  const [one, other] = [share(7, 90), share(40, 700)];
  expect(surenessOfExcess(one, other, 0) + surenessOfExcess(other, one, 0)).toBeCloseTo(1, 3);
});
