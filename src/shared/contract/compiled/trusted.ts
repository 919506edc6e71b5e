import type { z } from 'zod';

/**
 * Kinds of schemas and of checks whose compiled form was compared with Zod's own answers (schemas.cases.ts nests them in every
 * way). Not intersections: compiled, `strictObject({ a })` and `object({ b })` refuse together what Zod accepts. Alone that only
 * costs time; in a union the next member would be taken.
 */
const kinds = new Set([
  ...['string', 'number', 'boolean', 'null', 'enum', 'literal', 'template_literal', 'never', 'unknown'],
  ...['object', 'array', 'tuple', 'record', 'union'],
  ...['optional', 'nullable', 'default', 'prefault', 'readonly', 'nonoptional'],
]);
const checks = new Set([
  ...['less_than', 'greater_than', 'multiple_of', 'number_format'],
  ...['min_length', 'max_length', 'length_equals', 'string_format', 'overwrite', 'custom'],
]);

/** Whether every part of `schema` is of a kind that may be compiled. */
export function isTrusted(schema: z.core.$ZodType, seen = new Set<unknown>()): boolean {
  if (seen.has(schema)) return true;
  seen.add(schema);
  const { def } = schema._zod;
  if (!kinds.has(def.type) || !(def.checks ?? []).every((each) => checks.has(each._zod.def.check))) return false;
  return childrenOf(def).every((child) => isTrusted(child, seen));
}

function childrenOf(def: z.core.$ZodTypeDef): z.core.$ZodType[] {
  const { checks, shape = {}, ...parts } = def as z.core.$ZodTypeDef & { readonly shape?: object };
  return [...Object.values(shape), ...Object.values(parts).flat()].filter(isSchema);
}

function isSchema(value: unknown): value is z.core.$ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value;
}
