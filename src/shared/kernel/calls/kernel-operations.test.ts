import { expect, it } from 'vitest';
import { parseInput } from '../contract/index.ts';
import { isRefusal } from '../errors/index.ts';
import { ofKernel } from './kernel-operations.ts';

const good = { method: 'PUT', path: '/ops/faults?x=%20', headers: { 'content-type': 'application/json' }, body: '{}' };

it.each(['read', 'write', 'operate'] as const)('%s takes a request that can be made', (operation) => {
  expect(parseInput(ofKernel(operation, 'payments').input, good)).toEqual(good);
});

it.each([
  ['a method that is none', { method: 'FOO BAR' }],
  ['a method that may not be made', { method: 'CONNECT' }],
  ['a path that is none', { path: 'ops' }],
  ['a path with a NUL', { path: '/ops\0' }],
  ['a path with a blank', { path: '/ops faults' }],
  ['a header whose name is none', { headers: { 'a b': 'x' } }],
  ['a header of two lines', { headers: { a: 'x\r\ny: z' } }],
])('refuses %s', (_, wrong) => {
  let refused: unknown;
  try {
    parseInput(ofKernel('operate', 'payments').input, { ...good, ...wrong });
  } catch (error) {
    refused = error;
  }
  expect(isRefusal(refused, 'invalid-input')).toBe(true);
});
