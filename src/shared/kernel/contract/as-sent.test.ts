import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { asSentBy, canonicalJson } from './as-sent.ts';

let made = 0;
const anew = () => `made ${++made}`;
const sent = (schema: z.ZodType, given: unknown) => asSentBy(schema)(given, schema.parse(given));

describe('the input as sent', () => {
  it.each<[what: string, schema: z.ZodType, given: unknown, sent: unknown, sentOn?: unknown]>([
    ['a generated default', z.object({ a: z.string().default(anew) }), {}, {}],
    ['a default in place of undefined', z.object({ a: z.string().default(anew) }), { a: undefined }, {}],
    ['a value beside a default', z.object({ a: z.string().default(anew) }), { a: 'x' }, { a: 'x' }],
    ['a value equal to the default', z.object({ a: z.string().default('x') }), { a: 'x' }, { a: 'x' }],
    ['a prefault', z.object({ a: z.string().prefault(anew) }), {}, {}],
    ['a whole input', z.string().default(anew), undefined, undefined],
    ['null', z.object({ a: z.string().nullable().default(anew) }), { a: null }, { a: null }],
    ['an overwritten string', z.string().overwrite(anew), 'x', 'x'],
    ['a trimmed string', z.object({ a: z.string().trim() }), { a: ' x ' }, { a: ' x ' }],
    ['a rounded number', z.number().overwrite(Math.round), 1.4, 1],
    ['an unknown member', z.object({ a: z.string().default(anew) }), { b: 1 }, {}],
    ['an unknown member, without a default', z.object({ a: z.int() }), { a: 1, b: 1 }, { a: 1 }],
    ['a member of a loose object', z.looseObject({ a: z.string().default(anew) }), { b: 1 }, { b: 1 }],
    ['an inherited member', z.object({ a: z.int().default(1) }).catchall(z.int()), Object.create({ b: 1 }), { b: 1 }],
    [
      'a member called __proto__',
      z.object({ a: z.int().default(1) }).catchall(z.int()),
      JSON.parse('{"__proto__":{}}'),
      {},
    ],
    ['a list', z.array(z.object({ a: z.string().default(anew) })), [{}, { a: 'x' }], [{}, { a: 'x' }]],
    ['a tuple', z.tuple([z.object({ a: z.string().default(anew) })], z.int()), [{}, 1, 2], [{}, 1, 2]],
    ['a record', z.record(z.string().toLowerCase(), z.string().trim()), { A: ' x' }, { A: ' x' }],
    ['a union', z.union([z.object({ b: z.int() }), z.object({ a: z.string().default(anew) })]), { c: 1 }, {}],
    [
      'a union that drops a member',
      z.union([z.object({ a: z.int().optional() }), z.object({ b: z.int() })]),
      { a: 'x', b: 1 },
      { a: 'x', b: 1 },
    ],
    [
      'a union that drops a non-JSON member',
      z.union([z.object({ a: z.int().optional() }), z.object({ b: z.int() })]),
      { a: 1n, b: 1 },
      { b: 1 },
      {},
    ],
    [
      'an intersection',
      z.intersection(z.object({ a: z.string().default(anew) }), z.object({ b: z.string().default(anew) })),
      { b: 'x', c: 1 },
      { b: 'x' },
    ],
  ])('of %s', (_, schema, given, expected, sentOn = expected) => {
    expect(sent(schema, given)).toEqual(expected);
    expect(sent(schema, sent(schema, given))).toEqual(sentOn);
  });

  it('supports recursive schemas', () => {
    const tree: z.ZodType = z.object({
      name: z.string().default(anew),
      get trees() {
        return z.array(tree).default(() => []);
      },
    });
    expect(sent(tree, { trees: [{ name: 'x' }, { trees: [] }] })).toEqual({ trees: [{ name: 'x' }, { trees: [] }] });
  });
});

it('canonicalJson writes equal values as equal texts', () => {
  const value = { b: [1, { d: 'x', c: null }], a: -0, 10: true, 9: false };
  const other = { 9: false, 10: true, a: 0, e: undefined, b: [1.0, { c: null, d: 'x' }] };
  expect(canonicalJson(value)).toBe(canonicalJson(other));
  expect(JSON.parse(canonicalJson(value))).toEqual({ ...value, a: 0 });
  const different = [[], {}, [[]], [{}], { a: 1 }, { a: '1' }, { b: 1 }, { a: [1] }, null, 'null', [1, 2], [2, 1]];
  expect(new Set(different.map(canonicalJson)).size).toBe(different.length);
  expect(canonicalJson(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
});
