import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { contract, earlier, event, query } from './contract.ts';

function taking(input: z.ZodType) {
  return () => contract('sample', { operations: { ask: query({ about: 'Asks', input, output: z.object({}) }) } });
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
      ['a choice of values with infinity', z.enum({ a: 1, b: Number.NEGATIVE_INFINITY })],
    ] as [string, z.ZodType][]),
    ...([
      ['a list of what may be undefined', z.array(z.int().optional())],
      ['the same, deep inside', z.array(z.union([z.int(), z.string().optional().readonly().nullable()]))],
      ['a tuple that may begin with undefined', z.tuple([z.string().optional(), z.string()])],
      ['a tuple that may end with undefined', z.tuple([z.string(), z.string().optional()])],
      ['a tuple whose rest may be undefined', z.tuple([z.string()], z.string().optional())],
      ['a list whose items have a default', z.array(z.int().default(1))],
      ['a tuple that ends with a default', z.tuple([z.string(), z.int().default(1).nonoptional()])],
      ['a record of what has a default', z.record(z.string(), z.string().prefault('x'))],
      ['a record of what may be undefined', z.record(z.string(), z.string().optional())],
      ['further fields that may be undefined', z.object({}).catchall(z.string().nullish())],
      ['a list of two that both may be undefined', z.array(z.intersection(z.int().optional(), z.int().optional()))],
    ] as [string, z.ZodType][]),
    ...([
      ['a function of its own that rewrites', z.string().overwrite(own)],
      ['one that rewrites numbers', z.number().overwrite(Math.round)],
      ['one that rewrites a list', z.array(z.int()).overwrite((list) => [...list, 1])],
      [
        'a check that writes',
        z.string().superRefine((text, context) => void Object.assign(context, { value: own(text) })),
      ],
      ['text that is trimmed after it was measured', z.string().min(1).trim()],
      ['text that is trimmed after it was looked at', z.string().refine(Boolean).trim()],
      ['text that is made lower after it was measured', z.string().max(9).toLowerCase()],
      ['a URL that is measured before', z.string().min(9).url()],
      ['text that is made upper, then lower', z.string().toUpperCase().toLowerCase()],
      ['text that gets spaces after it was trimmed', z.string().trim().normalize('NFKC')],
      ['names that are rewritten', z.record(z.string().overwrite(own), z.int())],
      ['names that are any number', z.record(z.number(), z.int())],
    ] as [string, z.ZodType][]),
    ...([
      ['a default of another kind', z.int().default('x' as never)],
      ['a default that the schema changes', z.string().trim().default(' x')],
      ['a default with more than the schema has', z.object({ a: z.int() }).default({ a: 1, b: 2 } as never)],
      ['a default that JSON changes', z.number().default(-0)],
      [
        'a field that Zod drops',
        z.object(JSON.parse('{"__proto__":0}', (_, value) => (value === 0 ? z.int() : value))),
      ],
    ] as [string, z.ZodType][]),
    ...([
      ['unknown', z.unknown()],
      ['any JSON', z.json()],
      ['what is coerced', z.coerce.number()],
      ['symbols', z.symbol()],
      ['void', z.void()],
      ['NaN', z.nan()],
      ['sets', z.set(z.string())],
      ['files', z.file()],
      ['promises', z.promise(z.string())],
      ['instances', z.instanceof(Date)],
      ['what is preprocessed', z.preprocess(String, z.string())],
      ['what is caught', z.string().catch('')],
      ['codecs', z.stringbool()],
      ['64 bits', z.int64()],
      ['fields of any kind', z.looseObject({})],
      ['values under other keys', z.looseRecord(z.enum(['a']), z.int())],
      ['a default that must be asked for', z.object({ a: z.int().default(1).nonoptional() })],
      ['a default that is lost with its field', z.object({ a: z.int().default(1).nonoptional().optional() })],
      ['a list that fills in defaults', z.array(z.int().default(1).nonoptional().nonoptional())],
      ['a field that every object inherits', z.object({ constructor: z.string().optional() })],
      ['what is resolved later', z.lazy(() => z.string())],
    ] as [string, z.ZodType][]),
  ])('%s', (_, schema) => {
    expect(taking(z.object({ it: schema }))).toThrow(/^sample\.ask input\.it.* do not survive a wire/);
  });

  it('them in answers, events, earlier events and errors as well, and says where', () => {
    const bad = z.object({ list: z.array(z.literal([1, Number.NaN])) });
    const good = z.object({ id: z.string() });
    const operations = { ask: query({ about: 'Asks', input: good, output: bad }) };
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

describe('a contract takes', () => {
  it.each<[string, z.ZodType]>([
    ['a whole input that may be undefined', z.string().optional()],
    [
      'fields that may be undefined',
      z.object({ a: z.string().optional(), b: z.union([z.int(), z.string().optional()]) }),
    ],
    ['a tuple that may end early', z.tuple([z.string(), z.exactOptional(z.string())])],
    ['text that is trimmed, then checked', z.string().trim().min(1)],
    ['text that is trimmed and made lower', z.string().trim().toLowerCase().max(9)],
    ['text of limited length that is trimmed', z.string().max(9).trim()],
    ['an address that is made lower', z.email().toLowerCase()],
    ['normalized text', z.string().normalize().trim()],
    ['a slug', z.string().slugify().min(1)],
    ['a URL', z.url({ normalize: true }).max(200)],
    ['checks of its own', z.string().superRefine((text, context) => void (text || context.addIssue('must be there')))],
    ['a default that is made anew', z.uuid().default(() => crypto.randomUUID())],
    ['a default of an object', z.object({ a: z.int().default(1) }).prefault({})],
    ['records by numbers and choices', z.record(z.int(), z.record(z.enum(['a', 'b']), z.int()))],
    ['a field that every object inherits, where it must be there', z.object({ constructor: z.string() })],
    ['names that are trimmed', z.record(z.string().trim(), z.int())],
  ])('%s', (_, schema) => {
    expect(taking(schema)).not.toThrow();
  });
});
