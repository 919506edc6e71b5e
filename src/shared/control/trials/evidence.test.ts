import { expect, it } from 'vitest';
import { surenessOfExcess } from './evidence.ts';

const share = (hits: number, of: number) => ({ hits, of });

it.each([
  ['is 50 % without calls', share(0, 0), share(0, 0), 0, 0.5],
  ['is 50 % for equal rates', share(10, 100), share(10, 100), 0, 0.5],
  ['is low for a side without failures', share(0, 300), share(0, 300), 0.01, 0.007],
  ['is unclear after a few calls', share(0, 10), share(0, 1_000), 0.01, 0.65],
  ['is high, but not certain, for one failure in few calls', share(1, 20), share(0, 400), 0.01, 0.95],
  ['is certain for many failures', share(15, 150), share(3, 1_500), 0.01, 1],
  ['respects the allowed margin', share(15, 150), share(3, 1_500), 0.2, 0],
  ['is 50 % without calls to the other side', share(50, 100), share(0, 0), 0, 0.5],
])('%s', (_, one, other, margin, sure) => {
  expect(surenessOfExcess(one, other, margin)).toBeCloseTo(sure, 1);
});

it('is certain for extreme rates', () => {
  expect(surenessOfExcess(share(1_000_000, 1_000_000), share(0, 1_000_000), 0.5)).toBeCloseTo(1, 9);
  expect(surenessOfExcess(share(0, 1_000_000), share(1_000_000, 1_000_000), 0)).toBeCloseTo(0, 9);
});

it('adds up to 1 with the opposite question', () => {
  const [one, other] = [share(7, 90), share(40, 700)];
  expect(surenessOfExcess(one, other, 0) + surenessOfExcess(other, one, 0)).toBeCloseTo(1, 3);
});
