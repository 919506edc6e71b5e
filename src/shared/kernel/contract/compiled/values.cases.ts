import fc from 'fast-check';
import type { z } from 'zod';

const someTexts = [
  ...[
    '',
    'a',
    ' a ',
    'ab',
    'abc',
    'a.c',
    'x1',
    'AB',
    '7',
    '-1.5',
    '😀',
    '😀😀',
    'a😀',
    '\ud800',
    'a\u0000',
    'a\nb',
    '\nx',
  ],
  ...[
    '__proto__',
    'constructor',
    '"a\\b',
    '2026-02-28',
    '2024-02-29T23:59:59.9Z',
    '2026-02-28T00:00:00+09:00',
    '127.0.0.1',
  ],
  ...[
    '::1',
    '2001:db8::/32',
    'YWI=',
    'YWI',
    '+821012345678',
    'V1StGXR8_Z5jdHi6B-myT',
    'ann@example.com',
    'KRW',
    'abcdefgh',
  ],
  ...[
    '01a20574-e445-7214-94c1-f21b410e3108',
    'HTTPS://Example.com:443/a b ',
    'https://example.com/?q#h',
    ' https://a.b/x',
    'a3',
  ],
];
const someNumbers = [-0, 0, 1, 3, -3, 0.1, 0.3, 2.03, 1e21, 2 ** 31, 2 ** 32 - 1, 2 ** 53, -(2 ** 53) + 1, 1_000, 1e-7];
const texts = fc.oneof(fc.constantFrom(...someTexts), fc.string({ unit: 'grapheme', maxLength: 8 }));
const numbers = fc.oneof(fc.constantFrom(...someNumbers), fc.double());

/** Values that no schema expects. */
export const junk: fc.Arbitrary<unknown> = fc.oneof(
  ...[texts, numbers, fc.constantFrom(null, undefined, true, 2n, Number.NaN), fc.jsonValue({ maxDepth: 2 })],
  ...[fc.constant(0).map(() => new Date(0)), fc.constant(0).map(() => new Map()), fc.constant(0).map(() => () => 1)],
);

/** Names that JavaScript or generated code could misinterpret. */
export const names = fc.constantFrom(
  ...[
    'a',
    'b',
    '1',
    '0',
    '',
    'constructor',
    'toString',
    'length',
    'k',
    'v0',
    'input',
    'a-b',
    '"\\\n\u2028',
    '톱',
    '`$`',
  ],
);

const made = new WeakMap<z.core.$ZodType, fc.Arbitrary<unknown>>();

/** Generates values that `schema` nearly always accepts, with and without their optional parts. */
export function valuesOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const values = made.get(schema) ?? makeValuesOf(schema);
  made.set(schema, values);
  return values;
}

function makeValuesOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'string':
      return textsOf(schema as z.ZodString);
    case 'number':
      return numbersOf(schema as z.ZodNumber);
    case 'template_literal':
      return fc.stringMatching(schema._zod.pattern!);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'enum':
      return fc.constantFrom(...(schema._zod.values ?? []));
    case 'literal':
      return fc.constantFrom(...def.values);
    case 'union':
      return fc.oneof(...def.options.map(valuesOf));
    case 'intersection':
      return fc.tuple(valuesOf(def.left), valuesOf(def.right)).map(both);
    case 'optional':
    case 'default':
    case 'prefault':
      return fc.option(valuesOf(def.innerType), { nil: undefined });
    case 'nullable':
      return fc.option(valuesOf(def.innerType));
    case 'readonly':
    case 'nonoptional':
      return valuesOf(def.innerType);
    case 'never':
    case 'unknown':
      return junk;
    default:
      return containersOf(schema, def);
  }
}

function containersOf(schema: z.core.$ZodType, def: z.core.$ZodTypes['_zod']['def']): fc.Arbitrary<unknown> {
  switch (def.type) {
    case 'object':
      return objectsOf(def);
    case 'record':
      return membersOf(valuesOf(def.keyType), def.valueType).map(Object.fromEntries);
    case 'tuple': {
      const rest = def.rest ? fc.array(valuesOf(def.rest), { maxLength: 2 }) : fc.constant([]);
      return fc.tuple(fc.tuple(...def.items.map(valuesOf)), rest, fc.nat({ max: 1 })).map(([items, more, omitted]) => {
        return omitted && more.length === 0 && items.at(-1) === undefined ? items.slice(0, -1) : [...items, ...more];
      });
    }
    case 'array': {
      const { minimum = 0, maximum = 100 } = schema._zod.bag as { minimum?: number; maximum?: number };
      return fc.array(valuesOf(def.element), { minLength: minimum, maxLength: Math.min(maximum, minimum + 3) });
    }
    default:
      throw new Error(`There are no values of "${def.type}" schemas here; add them`);
  }
}

function objectsOf({ shape, catchall }: z.core.$ZodObjectDef): fc.Arbitrary<unknown> {
  const fields = Object.entries(shape).map(([name, each]) => fc.tuple(fc.constant(name), valuesOf(each), fc.boolean()));
  const others = catchall && catchall._zod.def.type !== 'never' ? membersOf(names, catchall) : fc.constant([]);
  return fc.tuple(others, fc.tuple(...fields)).map(([more, declared]) => {
    // Sometimes leaves an undefined member out.
    const present = declared.filter(([, value, there]) => there || value !== undefined);
    return Object.fromEntries([...more, ...present.map(([name, value]) => [name, value])]);
  });
}

function membersOf(keys: fc.Arbitrary<unknown>, schema: z.core.$ZodType) {
  return fc.array(fc.tuple(keys as fc.Arbitrary<string>, valuesOf(schema)), { maxLength: 3 });
}

function both([left, right]: [unknown, unknown]): unknown {
  return typeof left === 'object' && left && typeof right === 'object' ? { ...left, ...right } : left;
}

function textsOf(schema: z.ZodString): fc.Arbitrary<unknown> {
  const min = schema.minLength ?? 0;
  const sizes = { minLength: min, maxLength: Math.min(schema.maxLength ?? 100, min + 8) };
  const made = patternsOf(schema).map((pattern) => fc.stringMatching(new RegExp(pattern.source)));
  return fitting(
    schema,
    someTexts,
    made.length > 0 ? made : [fc.string(sizes), fc.string({ unit: 'grapheme', ...sizes })],
  );
}

/** Returns the patterns for which `fast-check` can generate text: patterns without lookahead, which e-mail addresses use. */
function patternsOf(schema: z.ZodString): RegExp[] {
  const defs = [schema.def, ...(schema.def.checks ?? []).map((check) => check._zod.def)] as { pattern?: RegExp }[];
  return defs.flatMap(({ pattern }) => (pattern && !/\(\?[!=]/.test(pattern.source) ? [pattern] : []));
}

function numbersOf(schema: z.ZodNumber): fc.Arbitrary<unknown> {
  const min = Math.max(schema.minValue ?? -1_000, Number.MIN_SAFE_INTEGER);
  const max = Math.min(schema.maxValue ?? min + 2_000, Number.MAX_SAFE_INTEGER);
  const whole = fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
  return fitting(
    schema,
    [...someNumbers, min, max],
    schema.isInt ? [whole] : [whole, fc.double({ min, max, noNaN: true })],
  );
}

/** Selects the known values and some generated values that the schema accepts. */
function fitting(schema: z.ZodType, known: unknown[], made: fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown> {
  const all = [...known, ...fc.sample(fc.oneof(...made), { numRuns: 40, seed: 1 })];
  return fc.constantFrom(...all.filter((value) => schema.safeParse(value).success));
}

/** Spoils `value` in one place: with another value, one field more or fewer, or an object that only looks like the old one. */
export function spoiled(value: unknown): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.array(fc.nat({ max: 5 }), { maxLength: 3 }), fc.constantFrom(...spoilers), junk, names)
    .map(([path, spoil, other, name]) => at(value, path, (each) => spoil(each, other, name)));
}

function at(value: unknown, [first, ...rest]: number[], change: (value: unknown) => unknown): unknown {
  if (first === undefined || typeof value !== 'object' || value === null) return change(value);
  const keys = Object.keys(value);
  const key = keys[first % keys.length];
  if (key === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  copy[key] = at(copy[key], rest, change);
  return copy;
}

type Spoiler = (value: unknown, other: unknown, name: string) => unknown;

const spoilers: Spoiler[] = [
  (_, other) => other,
  () => undefined,
  onObject((copy, other, name) => define(copy, name, { value: other })),
  onObject((copy, other) => define(copy, '__proto__', { value: other })),
  onObject((copy, other) => define(copy, Symbol.for('s'), { value: other })),
  onObject((copy, other) => define(copy, 'hidden', { value: other, enumerable: false })),
  onObject((copy) => {
    delete copy[Object.keys(copy)[0] as keyof object];
    return copy;
  }),
  onObject((copy) => {
    const [key] = Object.keys(copy);
    const value = copy[key as keyof object];
    return key === undefined ? copy : define(copy, key, { get: () => value });
  }),
  onObject((copy) => Object.create(copy)),
  onObject((copy) => Object.assign(Object.create({ a: 'inherited', k: 1 }), copy)),
  onObject((copy) => Object.setPrototypeOf(copy, null)),
  onObject((copy) => Object.assign(new (class Some {})(), copy)),
  onObject((copy) => Object.freeze(copy)),
  onObject((copy) => Object.fromEntries(Object.entries(copy).reverse())),
  onObject((copy) => new Proxy(copy, {})),
  onArray((copy) => Object.assign(copy, { length: copy.length + 1 })),
  onArray((copy) => copy.slice(1)),
  onArray((copy, other) => [...copy, other]),
  onArray((copy) => [...copy, ...copy, ...copy]),
  onArray((copy) => Object.assign(copy, { extra: 1 })),
  onArray((copy) => ({ ...copy, length: copy.length })),
];

function define(target: object, key: PropertyKey, how: PropertyDescriptor): object {
  return Object.defineProperty(target, key, { enumerable: true, configurable: true, ...how });
}

function onObject(spoil: (copy: object, other: unknown, name: string) => unknown): Spoiler {
  return (value, other, name) =>
    typeof value === 'object' && value && !Array.isArray(value) ? spoil({ ...value }, other, name) : other;
}

function onArray(spoil: (copy: unknown[], other: unknown) => unknown): Spoiler {
  return (value, other) => (Array.isArray(value) ? spoil([...value], other) : other);
}
