import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Cursors } from './cursor.ts';

const cursors = new Cursors('shop.list');

it('a cursor decodes to its key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (key) => {
      expect(cursors.keyOf(cursors.after(key))).toBe(key);
      expect(cursors.after(key)).toMatch(/^[\w-]*\.[\w-]{16}$/);
    }),
  );
  expect(cursors.keyOf(undefined)).toBe(undefined);
});

it('a forged cursor is refused', () => {
  const given = cursors.after('WAX-1');
  const spoiled = [...given].map((_, at) => `${given.slice(0, at)}~${given.slice(at + 1)}`);
  const other = new Cursors('other.list').after('WAX-1');
  for (const cursor of ['', '.', 'WAX-1', 'c', `${given} `, `${given}.`, `=${given}`, other, ...spoiled])
    expect(() => cursors.keyOf(cursor)).toThrow(
      expect.objectContaining({
        code: 'invalid-input',
        data: { issues: [expect.objectContaining({ path: 'cursor' })] },
      }),
    );
});

it('a page has a next cursor when there are more rows', () => {
  const page = (rows: string[], limit: number) => cursors.page(rows, limit, String, (row) => ({ row }));
  expect(page(['a', 'b'], 1)).toEqual({ items: [{ row: 'a' }], next: cursors.after('a') });
  expect(page(['a'], 1)).toEqual({ items: [{ row: 'a' }], next: null });
  expect(page([], 1)).toEqual({ items: [], next: null });
});
