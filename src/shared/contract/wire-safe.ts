import type { z } from 'zod';

/** Schema kinds whose values are the same before and after a trip through JSON. */
const safe = new Set([
  'string',
  'number',
  'int',
  'boolean',
  'null',
  'enum',
  'literal',
  'object',
  'array',
  'tuple',
  'record',
  'union',
  'intersection',
  'optional',
  'nullable',
  'default',
  'prefault',
  'readonly',
  'nonoptional',
  'never',
  'template_literal',
]);

/**
 * Refuses, when the contract is defined, a schema whose values would not survive a wire (dates, maps, functions,
 * `any`, transforms …): such a contract would work in one process and break on the day of the extraction.
 */
export function assertWireSafe(schema: z.ZodType, where: string, seen = new Set<unknown>()): void {
  if (seen.has(schema)) return;
  seen.add(schema);
  const def = schema.def as unknown as Record<string, unknown> & { type: string };
  if (!safe.has(def.type)) {
    throw new TypeError(
      `${where} uses a "${def.type}" schema, whose values do not survive a wire; use plain JSON types`,
    );
  }
  for (const [part, value] of Object.entries(def)) {
    if (part === 'checks') continue;
    for (const [name, child] of children(value)) assertWireSafe(child, name ? `${where}.${name}` : where, seen);
    if (part === 'shape') {
      for (const [name, child] of Object.entries(value as object)) assertWireSafe(child, `${where}.${name}`, seen);
    }
  }
}

function* children(value: unknown): Iterable<[string, z.ZodType]> {
  if (isSchema(value)) yield ['', value];
  if (Array.isArray(value))
    for (const [index, child] of value.entries()) if (isSchema(child)) yield [`${index}`, child];
}

function isSchema(value: unknown): value is z.ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value && 'def' in value;
}
