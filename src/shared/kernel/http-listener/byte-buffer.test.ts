import { expect, it } from 'vitest';
import { ByteBuffer } from './byte-buffer.ts';

it('returns the added bytes in order, and is then empty', () => {
  const gathered = new ByteBuffer();
  const pieces = ['', 'a', '톱', 'x'.repeat(5_000), 'z'].map((text) => Buffer.from(text));
  for (const piece of pieces) gathered.add(piece);
  expect(gathered.length).toBe(5_005);
  const whole = gathered.take();
  gathered.add(Buffer.from('next'));
  expect([whole.equals(Buffer.concat(pieces)), gathered.length, gathered.take().toString()]).toEqual([true, 4, 'next']);
});

it('needs little overhead for bytes that arrive one by one', () => {
  const gathered = new ByteBuffer();
  const before = process.memoryUsage();
  const piece = Buffer.from('x');
  for (let n = 0; n < 1_000_000; n++) gathered.add(piece);
  const { heapUsed, external } = process.memoryUsage();
  expect(gathered.length).toBe(1_000_000);
  expect(heapUsed + external - before.heapUsed - before.external).toBeLessThan(30_000_000);
});
