import fc from 'fast-check';
import { z } from 'zod';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const key = fc.oneof(
  text,
  fc.constantFrom('', '__proto__', 'constructor', 'toString', '2nd', 'a b', '_a', 'a_b', 'aB', '톱'),
);
const integer = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -3, max: 300 })).map((value) => value + 0);
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

/** Values as the schema has them after its defaults. Their kinds fit; lengths, patterns and ranges need not. */
export function valuesOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  const { def } = (schema as unknown as z.core.$ZodTypes)._zod;
  const inner = () => valuesOf((def as unknown as { innerType: z.ZodType }).innerType);
  switch (def.type) {
    case 'string':
      return text;
    case 'number':
      return (schema as z.ZodNumber).isInt ? integer : double;
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries));
    case 'literal':
      return fc.constantFrom(...def.values);
    case 'object':
      return objectsOf(def);
    case 'array':
      return fc.array(valuesOf(def.element as z.ZodType), { maxLength: 4 });
    case 'tuple':
      return fc.tuple(...def.items.map((item) => valuesOf(item as z.ZodType)));
    case 'record':
      return membersOf(def.valueType).map(Object.fromEntries);
    case 'union':
      return fc.oneof(...def.options.map((option) => valuesOf(option as z.ZodType)));
    case 'optional':
      return fc.oneof(fc.constant(undefined), inner());
    case 'nullable':
      return fc.oneof(fc.constant(null), inner());
    case 'default':
    case 'readonly':
    case 'nonoptional':
      return inner().filter((value) => value !== undefined);
    default:
      throw new Error(`There are no values of "${def.type}" schemas here; add them`);
  }
}

function objectsOf({ shape, catchall }: z.core.$ZodObjectDef): fc.Arbitrary<unknown> {
  const declared = Object.entries(shape).map(([name, each]) =>
    valuesOf(each as z.ZodType).map((value) => [name, value]),
  );
  const others = catchall && catchall._zod.def.type !== 'never' ? membersOf(catchall) : fc.constant([]);
  return fc
    .tuple(others, fc.tuple(...declared))
    .map((members) => Object.fromEntries(members.flat().filter(([, value]) => value !== undefined)));
}

function membersOf(schema: unknown) {
  return fc.array(fc.tuple(key, valuesOf(schema as z.ZodType)), { maxLength: 4 });
}

const leaf = fc.constantFrom<z.ZodType[]>(
  ...[z.string(), z.int(), z.number(), z.boolean(), z.enum(['a', '']), z.literal(3), z.literal(['x', 1])],
  ...[z.null(), z.object({}), z.object({}).catchall(z.string())],
);

/** Schemas of every kind a contract may use, nested in every way. */
export const schemas: fc.Arbitrary<z.ZodType> = fc.letrec<{ schema: z.ZodType }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthSize: 'medium', withCrossShrink: true },
    leaf,
    fc.array(fc.tuple(key, tie('schema')), { maxLength: 4 }).map((fields) => z.object(Object.fromEntries(fields))),
    tie('schema').map((each) => z.array(each)),
    tie('schema').map((each) => z.record(z.string(), each)),
    tie('schema').map((each) => each.optional()),
    tie('schema').map((each) => each.nullable()),
    tie('schema').map((each) => each.readonly()),
    fc.tuple(tie('schema'), tie('schema')).map((each) => z.union(each)),
    fc.tuple(tie('schema'), tie('schema')).map((each) => z.tuple(each)),
  ),
})).schema;
