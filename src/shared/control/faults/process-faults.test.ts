import { expect, it } from 'vitest';
import type { CallFault } from '../admin-contract/index.ts';
import { CallFaults } from './call-faults.ts';
import { injectFault } from './process-faults.ts';

const clock = { now: () => 1_000 };
const fault = (rest: Partial<CallFault>): CallFault => ({
  caller: '*',
  operation: 'payments.*',
  share: 1,
  until: 2_000,
  ...rest,
});

it('applies where the call is served, not on its way', () => {
  const faults = new CallFaults(clock);
  faults.set([fault({ inside: 'block' }), fault({ latencyMs: 5 })]);
  expect(faults.met('orders', 'payments', 'authorize')).toMatchObject({ latencyMs: 5 });
  expect(faults.metInside('orders', 'payments', 'authorize')).toBe('block');
  expect(faults.metInside('orders', 'mail', 'send')).toBeUndefined();
  faults.set([]);
  expect(faults.metInside('orders', 'payments', 'authorize')).toBeUndefined();
});

it('expires at its time', () => {
  const faults = new CallFaults({ now: () => 2_000 });
  faults.set([fault({ inside: 'crash' })]);
  expect(faults.metInside('orders', 'payments', 'authorize')).toBeUndefined();
});

it('leaks memory at each call until the fault ends', () => {
  const before = process.memoryUsage().arrayBuffers;
  injectFault('leak');
  expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThanOrEqual(64 * 1024 * 1024);
  new CallFaults(clock).set([]);
  injectFault('block');
});
