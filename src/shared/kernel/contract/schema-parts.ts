import type { z } from 'zod';

/** The definition of a schema, by its `type`. */
export type Definition = z.core.$ZodTypes['_zod']['def'];

/** The definition of a check, by its `check`. */
export type CheckDefinition = z.core.$ZodChecks['_zod']['def'] | CustomCheckDefinition;

interface CustomCheckDefinition extends z.core.$ZodCheckDef {
  readonly check: 'custom';
  /** The function of `refine`. A function of `check` is not part of the definition. */
  readonly fn?: unknown;
}

/** A check of values that only its schema knows. */
export type Check = z.core.$ZodCheck<never>;

/** Returns the definition of a schema. Zod creates only schemas of these types. */
export function definitionOf(schema: z.core.$ZodType): Definition {
  return (schema as z.core.$ZodTypes)._zod.def;
}

/** Returns the definition of a check. Zod creates only checks of these kinds. */
export function checkDefinitionOf(check: Check): CheckDefinition {
  return check._zod.def as CheckDefinition;
}

/** Returns the checks of a schema, including the schema itself when it is a check. */
export function checksOf(schema: z.core.$ZodType): Check[] {
  return [...(isCheck(schema) ? [schema] : []), ...(schema._zod.def.checks ?? [])];
}

/** Returns the schemas of which a schema consists. */
export function childrenOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  const def: Pick<z.core.$ZodTypeDef, 'checks'> & { readonly shape?: object } = schema._zod.def;
  const { checks, shape = {}, ...parts } = def;
  return [...Object.values(shape), ...Object.values(parts).flat()].filter(isSchema);
}

function isCheck(schema: z.core.$ZodType): schema is z.core.$ZodType & Check {
  return schema._zod.traits.has('$ZodCheck');
}

function isSchema(value: unknown): value is z.core.$ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value;
}
