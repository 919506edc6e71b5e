import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { contract, earlier, event, query } from './contract.ts';

function taking(input: z.ZodType) {
  return () => contract('sample', { operations: { ask: query({ summary: 'Asks', input, output: z.object({}) }) } });
}

const own = (text: string) => `${text}!`;

describe('a contract refuses', () => {
  it.each<[string, z.ZodType]>([
    ...([
      ['a literal bigint', z.literal(1n as never)],
      ['a literal NaN', z.union([z.literal(Number.NaN), z.null()])],
      ['a literal infinity', z.literal([1, Number.POSITIVE_INFINITY])],
      ['a literal minus zero', z.literal(-0)],
      ['a literal undefined', z.literal(undefined as never)],
      ['an enum with infinity', z.enum({ a: 1, b: Number.NEGATIVE_INFINITY })],
    ] as [string, z.ZodType][]),
    ...([
      ['a list of optional items', z.array(z.int().optional())],
      ['a list of deeply optional items', z.array(z.union([z.int(), z.string().optional().readonly().nullable()]))],
      ['a tuple that may begin with undefined', z.tuple([z.string().optional(), z.string()])],
      ['a tuple that may end with undefined', z.tuple([z.string(), z.string().optional()])],
      ['a tuple whose rest may be undefined', z.tuple([z.string()], z.string().optional())],
      ['a list whose items have a default', z.array(z.int().default(1))],
      ['a tuple that ends with a default', z.tuple([z.string(), z.int().default(1).nonoptional()])],
      ['a record with default values', z.record(z.string(), z.string().prefault('x'))],
      ['a record with optional values', z.record(z.string(), z.string().optional())],
      ['a catchall that may be undefined', z.object({}).catchall(z.string().nullish())],
      ['a list of an intersection of optionals', z.array(z.intersection(z.int().optional(), z.int().optional()))],
    ] as [string, z.ZodType][]),
    ...([
      ['a custom overwrite', z.string().overwrite(own)],
      ['an overwrite of numbers', z.number().overwrite(Math.round)],
      ['an overwrite of a list', z.array(z.int()).overwrite((list) => [...list, 1])],
      [
        'a check that writes',
        z.string().superRefine((text, context) => void Object.assign(context, { value: own(text) })),
      ],
      ['a trim after a length check', z.string().min(1).trim()],
      ['a trim after a custom check', z.string().refine(Boolean).trim()],
      ['a lower-casing after a length check', z.string().max(9).toLowerCase()],
      ['a URL after a length check', z.string().min(9).url()],
      ['an upper-casing before a lower-casing', z.string().toUpperCase().toLowerCase()],
      ['a normalization after a trim', z.string().trim().normalize('NFKC')],
      ['keys that are overwritten', z.record(z.string().overwrite(own), z.int())],
      ['keys that are any number', z.record(z.number(), z.int())],
    ] as [string, z.ZodType][]),
    ...([
      ['a default of another type', z.int().default('x' as never)],
      ['a default that the schema changes', z.string().trim().default(' x')],
      ['a default with unknown fields', z.object({ a: z.int() }).default({ a: 1, b: 2 } as never)],
      ['a default that JSON changes', z.number().default(-0)],
      [
        'a field that Zod drops',
        z.object(JSON.parse('{"__proto__":0}', (_, value) => (value === 0 ? z.int() : value))),
      ],
    ] as [string, z.ZodType][]),
    ...([
      ['unknown', z.unknown()],
      ['any JSON', z.json()],
      ['coerced values', z.coerce.number()],
      ['symbols', z.symbol()],
      ['void', z.void()],
      ['NaN', z.nan()],
      ['sets', z.set(z.string())],
      ['files', z.file()],
      ['promises', z.promise(z.string())],
      ['instances', z.instanceof(Date)],
      ['preprocessed values', z.preprocess(String, z.string())],
      ['catch fallbacks', z.string().catch('')],
      ['codecs', z.stringbool()],
      ['64-bit integers', z.int64()],
      ['loose objects', z.looseObject({})],
      ['loose records', z.looseRecord(z.enum(['a']), z.int())],
      ['a nonoptional default', z.object({ a: z.int().default(1).nonoptional() })],
      ['an optional nonoptional default', z.object({ a: z.int().default(1).nonoptional().optional() })],
      ['a list with nested nonoptional defaults', z.array(z.int().default(1).nonoptional().nonoptional())],
      ['an optional field that every object inherits', z.object({ constructor: z.string().optional() })],
      ['lazy schemas', z.lazy(() => z.string())],
    ] as [string, z.ZodType][]),
  ])('%s', (_, schema) => {
    expect(taking(z.object({ it: schema }))).toThrow(/^sample\.ask input\.it.* do not survive a wire/);
  });

  it('them also in answers, events, earlier events and errors, and names the place', () => {
    const bad = z.object({ list: z.array(z.literal([1, Number.NaN])) });
    const good = z.object({ id: z.string() });
    const operations = { ask: query({ summary: 'Asks', input: good, output: bad }) };
    const events = (data: z.ZodObject, before: z.ZodObject) => ({
      told: event('told', 2, 'id' as never, data, [earlier(1, before, () => ({ id: '' }))]),
    });
    const because = 'list has the value NaN, whose values do not survive a wire';
    expect(() => contract('s', { operations })).toThrow(`s.ask output.${because}`);
    expect(() => contract('s', { operations: {}, events: events(bad, good) })).toThrow(`s.told data.${because}`);
    expect(() => contract('s', { operations: {}, events: events(good, bad) })).toThrow(`s.told data v1.${because}`);
    const late = { status: 409, title: 'Late', data: bad };
    expect(() => contract('s', { operations: {}, errors: { late } })).toThrow(`s "late" data.${because}`);
  });
});

describe('a contract accepts', () => {
  it.each<[string, z.ZodType]>([
    ['a whole input that may be undefined', z.string().optional()],
    [
      'fields that may be undefined',
      z.object({ a: z.string().optional(), b: z.union([z.int(), z.string().optional()]) }),
    ],
    ['a tuple that may end early', z.tuple([z.string(), z.exactOptional(z.string())])],
    ['a trim before a check', z.string().trim().min(1)],
    ['a trim and a lower-casing', z.string().trim().toLowerCase().max(9)],
    ['a trim after a maximum length', z.string().max(9).trim()],
    ['a lower-cased e-mail address', z.email().toLowerCase()],
    ['normalized text', z.string().normalize().trim()],
    ['a slug', z.string().slugify().min(1)],
    ['a URL', z.url({ normalize: true }).max(200)],
    ['custom checks', z.string().superRefine((text, context) => void (text || context.addIssue('must be there')))],
    ['a generated default', z.uuid().default(() => crypto.randomUUID())],
    ['a default of an object', z.object({ a: z.int().default(1) }).prefault({})],
    ['records with number and enum keys', z.record(z.int(), z.record(z.enum(['a', 'b']), z.int()))],
    ['a required field that every object inherits', z.object({ constructor: z.string() })],
    ['trimmed keys', z.record(z.string().trim(), z.int())],
  ])('%s', (_, schema) => {
    expect(taking(schema)).not.toThrow();
  });
});
