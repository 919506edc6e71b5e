import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { deep } from '../../../../test/harness/deep.ts';
import { command, contract, event, type OperationDefinition, query } from '../../kernel/contract/index.ts';
import { incompatibilities } from './compare.ts';
import { contractDescriptionSchema, describeContract } from './describe.ts';

const nothing = z.strictObject({});
type Operations = Record<string, OperationDefinition>;

function described(operations: Operations, rest: object = {}) {
  return describeContract(contract('payments', { operations, ...rest }) as never);
}

function payWith(input: z.ZodType, output: z.ZodType = nothing): Operations {
  return { pay: command({ summary: 'Pays', input, output }) };
}

const inputs = (before: z.ZodType, after: z.ZodType) =>
  incompatibilities(described(payWith(before)), described(payWith(after)));
const outputs = (before: z.ZodType, after: z.ZodType) =>
  incompatibilities(described(payWith(nothing, before)), described(payWith(nothing, after)));

describe('an input', () => {
  it.each<[string, z.ZodType, z.ZodType, string[]]>([
    ['a new required member', z.object({}), z.object({ a: z.string() }), ['a: it must be there, and may not be sent']],
    ['a new optional member', z.object({}), z.object({ a: z.string().optional() }), []],
    ['a new member with a default', z.object({}), z.object({ a: z.string().default('x') }), []],
    ['a removed member that is ignored', z.object({ a: z.string() }), z.object({}), []],
    [
      'a removed member that is refused',
      z.strictObject({ a: z.string() }),
      z.strictObject({}),
      ['a: it is no longer known, and is refused'],
    ],
    [
      'another type',
      z.object({ a: z.string() }),
      z.object({ a: z.number() }),
      ['a: string is sent, and number is taken'],
    ],
    ['a wider type', z.object({ a: z.int() }), z.object({ a: z.number() }), []],
    [
      'a member that is no longer nullable',
      z.object({ a: z.string().nullable() }),
      z.object({ a: z.string() }),
      ['a: null is not taken'],
    ],
    ['a member that became nullable', z.object({ a: z.string() }), z.object({ a: z.string().nullable() }), []],
    [
      'a removed enum value',
      z.object({ a: z.enum(['x', 'y']) }),
      z.object({ a: z.enum(['x']) }),
      ['a: "y" is not taken'],
    ],
    ['an added enum value', z.object({ a: z.enum(['x']) }), z.object({ a: z.enum(['x', 'y']) }), []],
    ['a string instead of an enum', z.object({ a: z.enum(['x']) }), z.object({ a: z.string() }), []],
    [
      'an enum instead of a string',
      z.object({ a: z.string() }),
      z.object({ a: z.enum(['x']) }),
      ['a: only "x" are taken'],
    ],
    [
      'a shorter text',
      z.object({ a: z.string().max(9) }),
      z.object({ a: z.string().max(5) }),
      ['a: maxLength is 5 now, and 9 may be sent'],
    ],
    ['a longer text', z.object({ a: z.string().max(5) }), z.object({ a: z.string().max(9) }), []],
    [
      'a higher minimum',
      z.object({ a: z.int().min(0) }),
      z.object({ a: z.int().min(1) }),
      ['a: minimum is 1 now, and 0 may be sent'],
    ],
    [
      'a pattern',
      z.object({ a: z.string() }),
      z.object({ a: z.string().regex(/^x$/) }),
      ['a: pattern is "^x$" where none is sent'],
    ],
    ['another type of item', z.array(z.string()), z.array(z.int()), ['*: string is sent, and integer is taken']],
    [
      'another type of member',
      z.record(z.string(), z.string()),
      z.record(z.string(), z.int()),
      ['*: string is sent, and integer is taken'],
    ],
    [
      'an added union case',
      z.union([z.object({ k: z.literal('a') })]),
      z.discriminatedUnion('k', [z.object({ k: z.literal('a') }), z.object({ k: z.literal('b') })]),
      [],
    ],
    [
      'a removed union case',
      z.discriminatedUnion('k', [z.object({ k: z.literal('a') }), z.object({ k: z.literal('b') })]),
      z.object({ k: z.literal('a') }),
      ['k: "b" is not taken'],
    ],
  ])('%s', (_, before, after, found) => {
    expect(inputs(before, after)).toEqual(found.map((each) => `payments.pay input.${each}`));
  });
});

describe('a rule that JSON Schema does not describe', () => {
  const starts = (letter: string) => z.string().refine((value) => value.startsWith(letter));
  it.each<[string, z.ZodType, z.ZodType, RegExp]>([
    ['a custom check', z.string(), starts('A'), /^unknown: new is a check of its own \(/],
    ['another custom check', starts('A'), z.string().refine((value) => value !== 'B'), /^unknown: new is a check/],
    ['a check with a message', z.int(), z.int().refine(Number.isInteger, 'must be even'), /\(must be even\)/],
    ['a check with issues', z.string(), z.string().superRefine(() => {}), /^unknown: new is a check of its own/],
    ['a check of a list', z.array(z.int()), z.array(z.int()).refine((list) => list.length !== 1), /^unknown/],
    ['a check of a union member', z.union([z.int(), z.string()]), z.union([z.int(), starts('A')]), /^unknown/],
    ['a check of an optional value', z.string().optional(), starts('A').optional(), /^unknown/],
    ['a check of a nullable value', z.string().nullable(), starts('A').nullable(), /^unknown/],
    ['a check of a value with a default', z.string().default('A'), starts('A').default('A'), /^unknown/],
    ['a check of record values', z.record(z.string(), z.string()), z.record(z.string(), starts('A')), /^unknown/],
    [
      'a length of a union',
      z.union([z.string(), z.null()]),
      z.union([z.string(), z.null()]).check(z.minLength(2) as never),
      /^unknown/,
    ],
    ['a trim before a length check', z.string().min(1), z.string().trim().min(1), /^unknown: new is trim before/],
    ['a host name rule', z.url(), z.url({ hostname: /^a\.b$/ }), /^unknown: new is the host is/],
    ['a protocol rule', z.url(), z.url({ protocol: /^https$/ }), /^unknown: new is the protocol is/],
    [
      'a custom format',
      z.string(),
      z.stringFormat('even', (text) => text.length % 2 === 0),
      /format is "even"|^unknown/,
    ],
    ['another format', z.url(), z.email(), /^pattern is|^format is/],
    ['another pattern', z.string().regex(/^a/), z.string().regex(/^b/), /^unknown: pattern is/],
    ['a flag of a pattern', z.string().regex(/^a/i), z.string().regex(/^a/), /./],
    [
      'a pattern that must match from the start',
      z.string().regex(/a/),
      z.string().regex(/a/y),
      /^unknown: new is a pattern/,
    ],
    ['a multiple', z.int().multipleOf(2), z.int().multipleOf(4), /^unknown: multipleOf is 4/],
    [
      'exactly one of several',
      z.union([z.int(), z.number()]),
      z.xor([z.int(), z.number()]),
      /^unknown: new is exactly one/,
    ],
  ])('is reported: %s', (_, before, after, what) => {
    const found = inputs(z.object({ a: before }), z.object({ a: after }));
    expect(found).not.toEqual([]);
    expect(found[0]!.replace(/^payments\.pay input\.a[^:]*: /, '')).toMatch(what);
  });

  it.each<[string, z.ZodType, z.ZodType]>([
    ['a removed check', starts('A'), z.string()],
    ['the same check, by its message', z.int().refine((n) => n > 1, 'big'), z.int().refine((n) => n >= 2, 'big')],
    ['an added trim', z.string(), z.string().trim()],
    ['a removed host name rule', z.url({ hostname: /^a\.b$/ }), z.url()],
    ['a divisor of the multiple', z.int().multipleOf(4), z.int().multipleOf(2)],
    [
      'an added union member beside a check',
      z.union([starts('A'), z.null()]),
      z.union([starts('A'), z.null(), z.int()]),
    ],
  ])('is compatible: %s', (_, before, after) => {
    expect(inputs(z.object({ a: before }), z.object({ a: after }))).toEqual([]);
    expect(outputs(z.object({ a: after }), z.object({ a: before }))).toEqual([]);
  });

  it('is accepted only where the contract gives a reason', () => {
    const [before, after] = [z.object({ a: z.string(), b: z.int() }), z.object({ a: starts('A'), b: z.string() })];
    const release = (accepted: Record<string, string>) => described(payWith(after), { accepted });
    const found = (accepted: Record<string, string>) =>
      incompatibilities(described(payWith(before)), release(accepted));
    expect(found({})).toHaveLength(2);
    expect(found({ 'payments.pay input.a': 'all callers send an A' })).toEqual([
      'payments.pay input.b: integer is sent, and string is taken',
    ]);
    expect(found({ 'payments.pay input': 'too much', 'payments.pay input.b': 'not unknown' })).toHaveLength(2);
    expect(() => release({ 'payments.pay input.a': ' ' })).toThrow(/without a reason/);
  });
});

describe('a declared refusal', () => {
  const refusing = (status: number, data?: z.ZodObject) =>
    described({}, { errors: { late: { status, title: 'Late', ...(data && { data }) } } });
  const [id, since] = [z.object({ id: z.string() }), z.object({ since: z.string() })];
  it.each([
    ['another status', refusing(409), refusing(404), ['payments "late": its status was 409, and is 404']],
    ['no data', refusing(409, id), refusing(409), ['payments "late": its data is gone']],
    [
      'other data',
      refusing(409, id),
      refusing(409, since),
      ['payments "late" data.id: it must be there, and may not be sent'],
    ],
    ['more data', refusing(409, id), refusing(409, id.extend(since.shape)), []],
    ['new data', refusing(409), refusing(409, id), []],
  ])('is compared: %s', (_, before, after, found) => {
    expect(incompatibilities(before, after)).toEqual(found);
  });
});

it('reports an operation whose timeout exceeds the timeout of its callers', () => {
  const taking = (timeoutMs?: number) => described({ pay: { ...payWith(nothing).pay!, timeoutMs } });
  expect(incompatibilities(taking(), taking(9_000))).toEqual([
    'payments.pay: unknown: it may take 9000 ms now, and its callers wait 5000',
  ]);
  expect(incompatibilities(taking(9_000), taking())).toEqual([]);
});

describe('an output', () => {
  it.each<[string, z.ZodType, z.ZodType, string[]]>([
    ['a new member', z.object({}), z.object({ a: z.string() }), []],
    ['a removed member', z.object({ a: z.string() }), z.object({}), ['a: it must be there, and may not be sent']],
    [
      'a member that became optional',
      z.object({ a: z.string() }),
      z.object({ a: z.string().optional() }),
      ['a: it must be there, and may not be sent'],
    ],
    [
      'an added enum value',
      z.object({ a: z.enum(['x']) }),
      z.object({ a: z.enum(['x', 'y']) }),
      ['a: "y" is not taken'],
    ],
    [
      'a member that became nullable',
      z.object({ a: z.string() }),
      z.object({ a: z.string().nullable() }),
      ['a: null is not taken'],
    ],
  ])('%s', (_, before, after, found) => {
    expect(outputs(before, after)).toEqual(found.map((each) => `payments.pay output.${each}`));
  });
});

it('reports removed and changed parts', () => {
  const data = z.object({ id: z.string(), by: z.string() });
  const before = described(
    {
      pay: command({ summary: '', input: nothing, output: nothing }),
      find: query({ summary: '', input: nothing, output: nothing }),
    },
    { events: { paid: event('paid', 1, 'id', data), told: event('told', 1, 'id', data) }, errors: {} },
  );
  const after = described(
    { pay: query({ summary: '', input: nothing, output: nothing }) },
    {
      events: { paid: event('paid', 2, 'id', data), told: event('told', 1, 'by', data) },
      errors: { broke: { status: 402, title: 'No money' } },
    },
  );
  expect(incompatibilities(before, after)).toEqual([
    'payments.pay: it was a command and is a query',
    'payments.find: it is gone',
    'payments.paid.v1: it is published no more',
    'payments.told.v1: its order was kept by id, and is by by',
    'payments: callers do not know the error "broke", and would meet it as internal',
  ]);
  expect(incompatibilities(before, { ...after, name: 'orders' })).toEqual([
    'it is the contract of "orders", not of "payments"',
  ]);
});

it('can be sent as JSON', () => {
  const description = described(payWith(z.object({ a: z.int() })));
  expect(contractDescriptionSchema.parse(JSON.parse(JSON.stringify(description)))).toEqual(description);
});

const fits = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

/** A schema, with values that it accepts. */
interface Made {
  readonly schema: z.ZodType;
  readonly values: fc.Arbitrary<unknown>;
}

const { made } = fc.letrec<{ made: Made; leaf: Made }>((tie) => ({
  leaf: fc.oneof(
    fc.tuple(fc.nat(3), fc.nat(3)).map(([least, more]) => ({
      schema: z
        .string()
        .min(least)
        .max(least + more),
      values: fc.string({ minLength: least, maxLength: least + more, unit: 'grapheme-ascii' }),
    })),
    fc.tuple(fc.nat(3), fc.nat(3)).map(([least, more]) => ({
      schema: z
        .int()
        .min(least)
        .max(least + more),
      values: fc.integer({ min: least, max: least + more }),
    })),
    fc.subarray(['x', 'y', 'z'], { minLength: 1 }).map((choices) => ({
      schema: z.enum(choices as [string]),
      values: fc.constantFrom(...choices),
    })),
    fc
      .constantFrom(
        z.string().trim().min(1),
        z.string().min(1),
        z.string().refine((text) => text !== 'a'),
        z.string(),
      )
      .map((schema) => ({ schema, values: fc.constantFrom('', ' ', 'a', 'b ').filter((text) => fits(schema, text)) })),
    fc
      .constantFrom(z.int().multipleOf(2), z.int().multipleOf(4), z.int())
      .map((schema) => ({ schema, values: fc.constantFrom(0, 2, 3, 4).filter((value) => fits(schema, value)) })),
    fc.constant({ schema: z.boolean(), values: fc.boolean() }),
    fc.constant({ schema: z.null(), values: fc.constant(null) }),
  ),
  made: fc.oneof(
    { maxDepth: 2 },
    tie('leaf'),
    fc
      .tuple(fc.dictionary(fc.constantFrom('a', 'b'), fc.tuple(tie('made'), fc.boolean())), fc.boolean())
      .map(([members, strict]) => objectOf(members as Record<string, [Made, boolean]>, strict)),
    tie('made').map((item) => {
      const { schema, values } = item as Made;
      return { schema: z.array(schema), values: fc.array(values, { maxLength: 2 }) };
    }),
    fc.tuple(tie('made'), tie('leaf')).map(([one, other]) => ({
      schema: z.union([(one as Made).schema, (other as Made).schema]),
      values: fc.oneof((one as Made).values, (other as Made).values),
    })),
  ) as fc.Arbitrary<Made>,
}));

function objectOf(members: Record<string, [Made, boolean]>, strict: boolean): Made {
  const entries = Object.entries(members);
  const shape = Object.fromEntries(
    entries.map(([name, [{ schema }, must]]) => [name, must ? schema : schema.optional()]),
  );
  const values = fc.record(Object.fromEntries(entries.map(([name, [{ values: each }]]) => [name, each])), {
    requiredKeys: entries.filter(([, [, must]]) => must).map(([name]) => name),
  });
  return { schema: strict ? z.strictObject(shape) : z.object(shape), values };
}

/** Compares random pairs of schemas, and sends values of the earlier one to each that is reported compatible. */
function comparePairs(numRuns: number): void {
  let compatible = 0;
  fc.assert(
    fc.property(
      fc.tuple(made, made).chain(([before, after]) =>
        fc.record({
          before: fc.constant(before),
          after: fc.constant(after),
          sent: fc.array(before.values, { maxLength: 5 }),
        }),
      ),
      ({ before, after, sent }) => {
        if (inputs(before.schema, after.schema).length > 0) return;
        compatible += 1;
        for (const value of sent) expect(after.schema.safeParse(before.schema.parse(value)).success).toBe(true);
      },
    ),
    { numRuns },
  );
  expect(compatible).toBeGreaterThan(numRuns / 100);
}

it('never reports incompatible schemas as compatible', () => comparePairs(1_500));
it('never reports incompatible schemas as compatible, in more pairs', deep, () => comparePairs(6_000));

it('finds every schema compatible with itself', () => {
  fc.assert(
    fc.property(made, ({ schema }) => {
      expect([...inputs(schema, schema), ...outputs(schema, schema)]).toEqual([]);
    }),
  );
});
