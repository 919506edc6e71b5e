import fc from 'fast-check';
import { z } from 'zod';
import { id, instant, money, text } from '../schemas.ts';
import { names, valuesOf } from './values.cases.ts';

/** The object that TypeScript generates for `enum Level { Low = 1, High = 'high' }`: a number maps back to its name. */
const Level = { Low: 1, 1: 'Low', High: 'high' } as const;

const lengthy = [
  ...[z.string().min(2), z.string().max(3), z.string().length(2), z.string().min(2).max(2), z.string().nonempty()],
  ...[text(8), text(5, 1), text(64, 1).regex(/^[A-Za-z0-9][\w.-]*$/)],
];
const formats = [
  ...[
    z.uuid(),
    z.uuidv7(),
    z.email(),
    z.url(),
    z.iso.datetime(),
    z.iso.datetime({ offset: true }),
    z.iso.date(),
    z.ipv4(),
  ],
  ...[z.ipv6(), z.base64(), z.base64url(), z.e164(), z.nanoid(), z.cidrv6(), z.hex(), z.string().email().max(254)],
  ...[z.string().regex(/a/g), z.string().regex(/a/y), z.string().regex(/^[^\r\n]*$/), z.string().startsWith('"a\\')],
  ...[z.string().endsWith('b'), z.string().includes('a'), z.string().includes('a', { position: 1 })],
  ...[z.string().lowercase(), z.string().uppercase(), z.templateLiteral(['a', z.int()])],
  ...[z.string().includes('x', { position: 1 }), z.stringFormat('base64', /^\W*$/), z.stringFormat('ipv6', () => true)],
  ...[z.url({ hostname: /^a\.b$/ }), z.url({ normalize: true }), z.string().trim().url()],
];
const rewriting = [
  ...[z.string().trim(), z.string().trim().min(2), z.string().toLowerCase(), z.string().normalize()],
  ...[z.string().refine((value) => value !== 'ab'), z.string().overwrite((value) => `${value}.`)],
  z.string().superRefine((value, check) => {
    if (value === 'ab') check.addIssue('not this');
  }),
];
const amounts = [
  ...[z.number(), z.int(), z.int32(), z.uint32(), z.float32(), z.number().int(), z.int().min(1).max(1_000)],
  ...[z.number().min(0), z.number().gt(0), z.number().lt(0), z.number().max(-0), z.number().multipleOf(0.1)],
  ...[
    z.int().multipleOf(3),
    z
      .number()
      .positive()
      .refine((value) => value !== 7),
  ],
];
const chosen = [
  ...[
    z.boolean(),
    z.null(),
    z.enum(['a', '__proto__', '']),
    z.enum(Level),
    z.literal('a"\n'),
    z.literal(['x', 1, null]),
  ],
  ...[z.literal(true), z.literal(-0), z.strictObject({}), z.object({}), id, instant, money],
];
const leaf = fc.constantFrom<z.ZodType[]>(...lengthy, ...formats, ...rewriting, ...amounts, ...chosen);

type Of = z.ZodType;

/** Schemas of every kind that is compiled, nested in every way. */
export const schemas: fc.Arbitrary<z.ZodType> = fc.letrec<{ schema: Of; object: z.ZodObject }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthSize: 'medium', withCrossShrink: true },
    leaf,
    { weight: 3, arbitrary: tie('object') },
    tie('schema').chain(wrapped),
    tie('schema').chain(listed),
    fc.tuple(tie('schema'), tie('schema')).chain(([one, other]) => combined(one, other)),
    fc.tuple(tie('object'), tie('object')).map(told),
  ),
  object: fc
    .tuple(fc.array(fc.tuple(names, tie('schema')), { maxLength: 4 }), fc.nat({ max: 5 }), tie('schema'))
    .map(([fields, kind, other]) => objectOf(z.object(Object.fromEntries(fields)), kind, other)),
})).schema;

function objectOf(plain: z.ZodObject, kind: number, other: Of): z.ZodObject {
  if (kind === 0) return plain.loose();
  if (kind === 1) return plain.catchall(other);
  if (kind === 2) return plain.refine((value) => Object.keys(value).length !== 1);
  return kind === 3 ? plain.strict() : plain;
}

function wrapped(inner: Of): fc.Arbitrary<Of> {
  const given = valuesOf(inner).map((value) => value as never);
  return fc.oneof(
    fc.constantFrom(inner.optional(), inner.nullable(), inner.nullish(), inner.readonly(), z.exactOptional(inner)),
    fc.constantFrom(inner.optional().nonoptional(), inner.nonoptional(), inner.optional().readonly()),
    given.map((value) => inner.default(value)),
    given.map((value) => inner.prefault(value)),
    given.map((value) => inner.default(value).optional()),
    given.map((value) => inner.prefault(value).optional()),
    given.map((value) => inner.nullable().default(value).nonoptional()),
  );
}

function listed(inner: Of): fc.Arbitrary<Of> {
  return fc.constantFrom<Of[]>(
    ...[z.array(inner), z.array(inner).min(1).max(2), z.array(inner).length(2)],
    ...[z.array(inner).refine((list) => list.length !== 1), z.record(z.string(), inner)],
    ...[z.record(z.string().min(1).max(1), inner), z.record(z.enum(['a', 'b']), inner)],
    ...[z.partialRecord(z.enum(['a', 'b']), inner), z.looseRecord(z.string().regex(/^a/), inner)],
    ...[z.record(z.string().toLowerCase(), inner), z.record(z.number(), inner)],
  );
}

function combined(one: Of, other: Of): fc.Arbitrary<Of> {
  return fc.constantFrom<Of[]>(
    ...[z.union([one, other]), z.union([one, other, z.null()]), z.union([one])],
    // The next member accepts anything, and so reveals a member that wrongly refuses a value.
    ...[z.union([one, z.unknown()]), z.union([one, z.object({})])],
    ...[z.tuple([one, other]), z.tuple([one], other), z.tuple([one, other.optional()])],
    ...[z.tuple([one.optional(), other.optional()]), z.tuple([one.optional()], other)],
    ...[z.union([z.tuple([one], other), z.unknown()]), z.tuple([one, z.int().default(1).optional()])],
    ...[z.union([one, z.string().refine((text) => text !== 'ab'), other]), z.object({ one, other }).or(z.unknown())],
  );
}

function told([one, other]: [z.ZodObject, z.ZodObject]): Of {
  return z.discriminatedUnion('kind', [
    z.object({ ...one.shape, kind: z.literal('one') }),
    z.strictObject({ ...other.shape, kind: z.enum(['other', 'last']) }),
  ]);
}
