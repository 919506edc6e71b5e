import { expect } from 'vitest';
import { z } from 'zod';
import { parseCompiled, parserOf } from './compiled.ts';

type Outcome = { readonly [part in 'data' | 'issues' | 'thrown' | 'unseen']?: unknown };

/** Fails unless both parsers give Zod's own result for `value`, from the first use on. Where Zod throws, they must report an issue. */
export function expectSame(schema: z.ZodType, value: unknown): void {
  const zods = outcome(value, () => schema.safeParse(value));
  const theirs = 'thrown' in zods ? { issues: [expect.objectContaining({ message: expect.any(String) })] } : zods;
  for (let use = 1; use <= 3; use++) {
    expect(outcome(value, () => parseCompiled(schema, value))).toEqual(theirs);
    expect(outcome(value, () => parsed(schema, value))).toEqual(theirs);
  }
}

function parsed(schema: z.ZodType, value: unknown): z.ZodSafeParseResult<unknown> {
  try {
    return { success: true, data: parserOf(schema)(value) };
  } catch (error) {
    if (error instanceof z.ZodError) return { success: false, error };
    throw error;
  }
}

function outcome(value: unknown, parse: () => z.ZodSafeParseResult<unknown>): Outcome {
  let result: z.ZodSafeParseResult<unknown>;
  try {
    result = parse();
    if (!result.success) return { issues: result.error.issues };
  } catch (error) {
    return { thrown: String(error) };
  }
  try {
    return { data: picture(result.data, partsOf(value)) };
  } catch (error) {
    return { unseen: String(error) };
  }
}

/** Returns all visible facts of `value`: order of keys, absent members, -0, prototypes, and the parts that it shares with the input. */
function picture(value: unknown, input: ReadonlySet<unknown>): unknown {
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'object' || value === null) return [typeof value, value];
  const members = Reflect.ownKeys(value).map((key) => [
    String(key),
    picture((value as Record<PropertyKey, unknown>)[key], input),
  ]);
  const kind = Array.isArray(value) ? 'array' : Object.getPrototypeOf(value) === Object.prototype;
  return { kind, frozen: Object.isFrozen(value), shared: input.has(value), members };
}

function partsOf(value: unknown, parts = new Set<unknown>()): Set<unknown> {
  if (typeof value !== 'object' || value === null || parts.has(value)) return parts;
  parts.add(value);
  for (const key of Reflect.ownKeys(value)) partsOf((value as Record<PropertyKey, unknown>)[key], parts);
  return parts;
}
