import { z } from 'zod';
import { id, instant, money, page, pageRequest, text } from '../schemas.ts';

const inherits = Object.create({ a: 1, b: 'inherited' });
const withProto = JSON.parse('{"__proto__":{"a":1},"a":1}');
const withSymbol = { a: 1, [Symbol.for('s')]: 1 };
const withHidden = Object.defineProperty({ a: 1 }, 'hidden', { value: 1 });
const withGetter = Object.defineProperty({}, 'a', { get: () => 1, enumerable: true });
const throwing = Object.defineProperty({}, 'a', {
  enumerable: true,
  get() {
    throw new Error('not now');
  },
});
const cyclic: Record<string, unknown> = { a: 1 };
cyclic.self = cyclic;
const sparse = [1, 2, 3];
delete sparse[1];
const objects = [
  ...[{ a: 1 }, { a: 1, b: 'x' }, { b: 'x', a: 1 }, { a: 1, b: undefined }, { a: undefined }, {}, null, undefined, []],
  ...[inherits, withProto, withSymbol, withHidden, withGetter, throwing, cyclic, Object.assign([], { a: 1 })],
  ...[
    Object.assign(Object.create(null), { a: 1 }),
    new (class Some {
      a = 1;
    })(),
    new Date(0),
    new Map(),
    () => 1,
  ],
  ...[new Proxy({ a: 1 }, {}), Object.freeze({ a: 1 }), { a: 1, more: 1 }, 'text', 1],
];
const optionals = (inner: z.ZodType) =>
  z.object({ o: inner.optional(), n: inner.nullable(), u: inner.nullish(), e: z.exactOptional(inner), a: z.int() });
const present = [
  { a: 1, n: null },
  { a: 1, n: null, o: undefined, u: undefined },
  { a: 1, n: null, e: undefined },
];
const texts = [
  '',
  'a',
  'ab',
  'abc',
  ' a ',
  '😀',
  '😀😀',
  '\ud800',
  'a\u0000',
  'a\nb',
  'a\u2028',
  new String('a'),
  7,
  null,
];
const numbers = [
  0,
  -0,
  1,
  -1,
  0.1,
  0.3,
  1e21,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 - 1,
  NaN,
  Infinity,
  -Infinity,
  '1',
  1n,
];
const node = z.object({
  name: z.string(),
  get next() {
    return node.optional();
  },
});
const tagged = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('a'), a: z.int() }),
  z.strictObject({ kind: z.enum(['b', 'c']), b: z.string() }),
]);
const both = z.intersection(z.strictObject({ a: z.int() }), z.object({ b: z.string() }));
const later = z.string().refine((value) => (value === 'a' ? Promise.resolve(true) : true) as boolean);
const refusing = z.string().refine(() => {
  throw new Error('no');
});

/** The name of a case, its schema, and values that are hard for the schema. */
export const nasties: [string, z.ZodType, readonly unknown[]][] = [
  ['an object', z.object({ a: z.int(), b: z.string().optional() }), objects],
  ['a strict object', z.strictObject({ a: z.int(), b: z.string().optional() }), objects],
  ['a loose object', z.looseObject({ a: z.int() }), objects],
  ['an object with a catchall', z.object({ a: z.int() }).catchall(z.string()), objects],
  ['an object with a check', z.object({ a: z.int() }).refine((value) => !('b' in value)), objects],
  ['an empty object', z.strictObject({}), objects],
  ['a field called __proto__', z.object(Object.fromEntries([['__proto__', z.object({})]])), objects],
  ['fields in an unusual order', z.object({ b: z.string(), 2: z.int(), 1: z.int() }), [{ 1: 1, 2: 2, b: '' }]],
  [
    'field names that are code',
    z.object({ '"];throw 1;//': z.int(), '${1}': z.int() }),
    [{ '"];throw 1;//': 1, '${1}': 1 }],
  ],
  ['optional values', optionals(z.string()), [...present, { a: 1, n: 'x', o: 'x', u: null, e: 'x' }, { a: 1 }]],
  ['optional objects', optionals(money), present],
  ['a default', z.object({ list: z.array(z.int()).default([1]), n: z.int().default(-0) }), [{}, { list: undefined }]],
  ['an optional default', z.object({ n: z.int().default(1).optional() }), [{}, { n: undefined }, { n: '' }]],
  [
    'an optional prefault',
    z.object({ n: z.string().trim().prefault(' a ').optional() }),
    [{}, { n: undefined }, { n: 1 }],
  ],
  ['an invalid default', z.object({ n: z.int().default('x' as never) }), [{}, { n: 2 }]],
  ['readonly', z.object({ list: z.array(money).readonly() }).readonly(), [{ list: [{ amount: 1, currency: 'KRW' }] }]],
  ['no longer optional', z.object({ n: z.int().optional().nonoptional() }), [{}, { n: undefined }, { n: 1 }]],
  [
    'an array',
    z.array(z.int()).min(1).max(3),
    [[], [1], [1, 2, 3, 4], sparse, Object.assign([1], { x: 1 }), { 0: 1, length: 1 }],
  ],
  ['an array of optional items', z.array(z.int().optional()), [sparse, [undefined], new Array(1)]],
  [
    'a tuple',
    z.tuple([z.int(), z.string().optional()], z.int()),
    [[1], [1, 'a'], [1, undefined], [1, 'a', 2], [], sparse],
  ],
  ['a record', z.record(z.string(), z.int()), [...objects, { 1: 1, a: 2, '': 3 }]],
  ['a record with enum keys', z.record(z.enum(['a', 'b']), z.int()), [...objects, { b: 2, a: 1 }]],
  ['text', text(3, 1), texts],
  ['text with a global pattern', z.string().regex(/a/g), ['a', 'a', 'ba', 'b', 'a']],
  ['text with a sticky pattern', z.string().regex(/a/y), ['a', 'a', 'ba', 'b', 'a']],
  ['text of a fixed length', z.string().length(2), texts],
  ['trimmed text', z.string().trim().min(1), texts],
  ['a URL', z.url(), ['https://a.b', ' HTTPS://A.b/\n', 'a', 'javascript:1']],
  ['an id', id, ['01a20574-e445-7214-94c1-f21b410e3108', '01A20574-E445-7214-94C1-F21B410E3108', '', 'x\n', null]],
  ['an instant', instant, ['2026-02-28T00:00:00Z', '2026-02-30T00:00:00Z', '2026-02-28T00:00:00+09:00', '2026-02-28']],
  [
    'an integer',
    z
      .int()
      .min(-1)
      .max(2 ** 31),
    numbers,
  ],
  ['a number', z.number().gt(-1).multipleOf(0.1), numbers],
  ['literals', z.literal([1, 'a', null, true]), [1, 'a', null, true, '1', -0, undefined, 'true']],
  ['nothing', z.never(), [undefined, null, 0]],
  ['a union', z.union([z.object({ a: z.int() }), z.object({ b: z.string() })]), [...objects, { a: 'x', b: 'x' }]],
  [
    'a discriminated union',
    tagged,
    [{ kind: 'a', a: 1, x: 1 }, { kind: 'c', b: '' }, { kind: 'c', b: '', x: 1 }, {}, null, 'a'],
  ],
  ['an intersection', both, [{ a: 1, b: 'x' }, { a: 1 }]],
  ['a union with an intersection', z.union([both, z.object({ b: z.string() })]), [{ a: 1, b: 'x' }, { b: 'x' }]],
  [
    'text that includes something after a line break',
    z.union([
      z.object({ note: z.string().includes('x', { position: 1 }), n: z.int() }),
      z.object({ note: z.string().includes('x', { position: -1 }) }),
    ]),
    [{ note: '\nx', n: 1 }, { note: 'x', n: 1 }, { note: '.{-1,}x' }],
  ],
  ['a custom format named like one of Zod', z.union([z.stringFormat('base64', /^\W$/), z.string()]), ['?', 'YWI=']],
  ['a custom format named url', z.stringFormat('url', () => true), ['a', ' https://a.b ']],
  [
    'a bound of an optional value',
    z.object({
      n: z
        .int()
        .optional()
        .check(z.gt(5) as never),
    }),
    [{ n: undefined }, {}],
  ],
  ['a bound of another type', z.string().check(z.gt(5) as never), ['a', '7', '3']],
  [
    'a tuple with a rest, in a union',
    z.union([z.tuple([z.unknown()], z.int()), z.unknown()]),
    [[], [undefined], [1, 2], [1, 'x']],
  ],
  [
    'a tuple that ends with defaults',
    z.tuple([
      z.string().optional(),
      z
        .int()
        .prefault('x' as never)
        .optional(),
      z.int().default(2).optional(),
    ]),
    [[], ['a'], ['a', undefined], [undefined, 1]],
  ],
  [
    'a union with a member that throws',
    z.union([z.string().max(3), z.object({ n: z.int(), it: refusing }), z.looseObject({})]),
    [JSON.parse('{"length":{"toString":""}}'), { n: 'x', it: 'a' }, { n: 'x', it: 1 }],
  ],
  ['an optional prefault that throws', z.object({ n: refusing.min(3).prefault('a').optional() }), [{}]],
  ['an exclusive union', z.xor([z.object({ a: z.int() }), z.object({ b: z.string() })]), objects],
  [
    'a recursive schema',
    node,
    [
      { name: 'a', next: { name: 'b' } },
      { name: 'a', next: {} },
    ],
  ],
  ['an asynchronous check', later, ['a', 'b']],
  ['a check that throws', refusing, ['a', 1]],
  [
    'coerced and caught values',
    z.object({ at: z.coerce.number(), or: z.string().catch('or') }),
    [{ at: '1' }, { at: 'x', or: 1 }],
  ],
  [
    'a request for a page',
    pageRequest,
    [{}, { limit: undefined, cursor: undefined }, { limit: 101 }, { cursor: 'c', limit: 1 }],
  ],
  [
    'a page',
    page(money),
    [
      { items: [{ amount: -0, currency: 'KRW', x: 1 }], next: null },
      { next: null, items: [] },
    ],
  ],
];
