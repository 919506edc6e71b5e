import { z } from 'zod';
import { definitionOf } from '../schema-parts.ts';

type Params = Parameters<z.ZodType['safeParse']>[1];

/**
 * Parses like `schema.safeParse`, but never throws: a check that throws makes the value invalid at its place. Zod runs length checks on
 * values of any type, so `{ length: { toString: '' } }` makes `z.string().max(3)` throw.
 */
export function safeParse<S extends z.ZodType>(
  schema: S,
  value: unknown,
  params?: Params,
): z.ZodSafeParseResult<z.output<S>> {
  try {
    const result = schema.safeParse(value, params);
    // Zod makes the messages when the error is read, and a message may be a function that throws.
    return result.success ? result : { success: false, error: result.error };
  } catch (thrown) {
    return { success: false, error: errorOfThrown(schema, value, thrown, params) };
  }
}

/**
 * Returns the error of a value that made a check of `schema` throw. The error names the wrong types, or else the place of that check.
 * Its cause is the value that the check threw.
 */
export function errorOfThrown<S extends z.ZodType>(
  schema: S,
  value: unknown,
  thrown: unknown,
  params?: Params,
): z.ZodError<z.output<S>> {
  const atPlace = (path: PropertyKey[], message: string) => new z.ZodError([{ code: 'custom', path, message }]);
  // Only its text tells V8's error of a full stack from the RangeError of a check.
  const tooDeep = thrown instanceof RangeError && thrown.message.includes('call stack');
  const error = tooDeep
    ? atPlace([], 'must not be nested so deep')
    : (mistyped(schema, value, params) ?? atPlace(placeOfThrow(schema, value), 'cannot be checked'));
  return Object.assign(error, { cause: thrown }) as z.ZodError<z.output<S>>;
}

/** Finds the values of a wrong type, without running any check. */
function mistyped(schema: z.ZodType, value: unknown, params: Params): z.ZodError | undefined {
  try {
    return schema.safeParse(value, { ...params, skipChecks: true } as Params).error;
  } catch {
    return undefined;
  }
}

function placeOfThrow(schema: z.core.$ZodType, value: unknown): PropertyKey[] {
  try {
    for (const [key, part, member] of membersOf(schema, value))
      if (throws(part, member)) return [...(key === undefined ? [] : [key]), ...placeOfThrow(part, member)];
  } catch {
    // A member that cannot be read has no place of its own.
  }
  return [];
}

function throws(schema: z.core.$ZodType, value: unknown): boolean {
  try {
    void z.core.safeParse(schema, value).error;
    return false;
  } catch {
    return true;
  }
}

type Member = readonly [key: PropertyKey | undefined, schema: z.core.$ZodType, value: unknown];

/** Returns the parts of a value, each with its schema. */
function membersOf(schema: z.core.$ZodType, value: unknown): Member[] {
  const def = definitionOf(schema);
  const same = (...parts: (z.core.$ZodType | undefined)[]) =>
    parts.flatMap((part): Member[] => (part ? [[undefined, part, value]] : []));
  if (def.type === 'union') return same(...def.options);
  if (def.type === 'intersection') return same(def.left, def.right);
  if (def.type === 'pipe') return same(def.in);
  if ('innerType' in def) return same(def.innerType);
  if (typeof value !== 'object' || value === null) return [];
  const members = Object.entries(value);
  if (def.type === 'array') return members.map(([at, each]) => [Number(at), def.element, each]);
  if (def.type === 'tuple')
    return members.flatMap(([at, each]): Member[] => {
      const item = def.items[Number(at)] ?? def.rest;
      return item ? [[Number(at), item, each]] : [];
    });
  if (def.type === 'record') return members.map(([name, each]) => [name, def.valueType, each]);
  if (def.type !== 'object') return [];
  const { shape, catchall } = def;
  const declared = Object.entries(shape).map(([name, each]): Member => [name, each, Reflect.get(value, name)]);
  const others = members.filter(([name]) => !Object.hasOwn(shape, name));
  return [...declared, ...(catchall ? others.map(([name, each]): Member => [name, catchall, each]) : [])];
}
