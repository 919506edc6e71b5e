import { expect, it } from 'vitest';
import { parseInput } from '../contract/index.ts';
import { isRefusal } from '../errors/index.ts';
import { ofKernel } from './kernel-operations.ts';

const good = { method: 'PUT', path: '/ops/faults?x=%20', headers: { 'content-type': 'application/json' }, body: '{}' };

it.each(['read', 'write', 'operate'] as const)('%s accepts a valid request', (operation) => {
  expect(parseInput(ofKernel(operation, 'payments').input, good)).toEqual(good);
});

it.each([
  ['an invalid method', { method: 'FOO BAR' }],
  ['a forbidden method', { method: 'CONNECT' }],
  ['an invalid path', { path: 'ops' }],
  ['a path with a NUL', { path: '/ops\0' }],
  ['a path with a space', { path: '/ops faults' }],
  ['a header with an invalid name', { headers: { 'a b': 'x' } }],
  ['a header with a line break', { headers: { a: 'x\r\ny: z' } }],
])('refuses %s', (_, wrong) => {
  let refused: unknown;
  try {
    parseInput(ofKernel('operate', 'payments').input, { ...good, ...wrong });
  } catch (error) {
    refused = error;
  }
  expect(isRefusal(refused, 'invalid-input')).toBe(true);
});
