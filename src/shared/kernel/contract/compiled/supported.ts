import type { z } from 'zod';

type Schema = z.core.$ZodTypes;
type Definition = Schema['_zod']['def'];
type CheckDefinition = z.core.$ZodChecks['_zod']['def'];

/**
 * Kinds of schemas whose compiled form was compared with Zod's own answers (schemas.cases.ts nests them in every way), each with
 * its own checks. Intersections are not supported: compiled, `strictObject({ a })` and `object({ b })` together refuse values that
 * Zod accepts. A check on another kind of value compares undefined with a bound, and accepts values that Zod refuses.
 */
const lengths = ['min_length', 'max_length', 'length_equals'];
const kinds: Readonly<Record<string, readonly string[]>> = {
  string: [...lengths, 'string_format', 'overwrite', 'custom'],
  number: ['less_than', 'greater_than', 'multiple_of', 'number_format', 'custom'],
  array: [...lengths, 'custom'],
  ...Object.fromEntries(
    ['boolean', 'null', 'enum', 'literal', 'template_literal', 'never', 'unknown', 'object', 'tuple', 'record', 'union']
      .concat('optional', 'nullable', 'default', 'prefault', 'readonly', 'nonoptional')
      .map((kind) => [kind, ['custom']]),
  ),
};

/** Returns whether every part of `schema` is of a kind that may be compiled. */
export function isSupported(schema: z.core.$ZodType, seen = new Set<unknown>()): boolean {
  if (seen.has(schema)) return true;
  seen.add(schema);
  const { def } = (schema as Schema)._zod;
  const checks = kinds[def.type];
  if (!checks || !checksOf(schema).every((check) => checks.includes(check.check) && isExact(check))) return false;
  return isExactKind(def) && childrenOf(def).every((child) => isSupported(child, seen));
}

/** Returns whether the compiled form accepts exactly Zod's values, even when another part would accept a value that this one refuses. */
function isExactKind(def: Definition): boolean {
  switch (def.type) {
    case 'tuple':
      // Zod fills up a list that is too short for a tuple with a rest. Each form removes the missing items in its own way.
      return (
        !def.rest && def.items.every(({ _zod: { optin, optout } }) => optin === undefined && optout !== 'optional')
      );
    case 'union':
      return 'discriminator' in def || def.options.length === 1 || def.options.every(cannotThrow);
    case 'optional':
      return def.innerType._zod.optin !== 'defaulted' || isDefault(def.innerType);
    default:
      return true;
  }
}

/**
 * Returns whether both forms treat a member of a choice alike. Zod runs each member to its end, and fails when a check throws there. The
 * compiled form stops a member at its first validation issue, and tries the next one. Both forms treat only members alike that contain no
 * other schemas and run no custom function.
 */
function cannotThrow(member: z.core.$ZodType): boolean {
  const { type } = member._zod.def;
  if (['object', 'array', 'tuple', 'record', 'union', 'unknown'].includes(type) || 'innerType' in member._zod.def)
    return false;
  const risky = [...lengths, 'overwrite', 'custom'];
  return checksOf(member).every((check) => !risky.includes(check.check) && !('fn' in check));
}

/** Returns whether the schema replaces a missing value with a value that it does not check. */
function isDefault({ _zod: { def } }: z.core.$ZodType): boolean {
  const { type, innerType } = def as Definition & { innerType?: z.core.$ZodType };
  if (type === 'default') return true;
  return ['optional', 'nullable', 'readonly'].includes(type) && isDefault(innerType!);
}

/** Formats that compile to Zod's own function, even when the schema has another function. */
const builtIn = ['base64', 'base64url', 'jwt', 'ipv6', 'cidrv6', 'credit_card', 'iban', 'url', 'httpurl'];

function isExact(check: CheckDefinition): boolean {
  if (check.check !== 'string_format') return true;
  const { format, fn, position } = check as { format: string; fn?: unknown; position?: number };
  // In the compiled form, the text before the position must not contain a line break.
  if (format === 'includes') return position === undefined;
  const rewrites = ['normalize', 'hostname', 'protocol'].some((option) => option in check);
  return fn === undefined || (!builtIn.includes(format) && !rewrites);
}

/** Returns the checks of a schema, including the schema itself when it is a check. */
function checksOf(schema: z.core.$ZodType): CheckDefinition[] {
  const { def, traits } = schema._zod;
  const own = traits.has('$ZodCheck') ? [def as unknown as CheckDefinition] : [];
  return [...own, ...(def.checks ?? []).map((check) => check._zod.def as CheckDefinition)];
}

function childrenOf(def: z.core.$ZodTypeDef): z.core.$ZodType[] {
  const { checks, shape = {}, ...parts } = def as z.core.$ZodTypeDef & { readonly shape?: object };
  return [...Object.values(shape), ...Object.values(parts).flat()].filter(isSchema);
}

function isSchema(value: unknown): value is z.core.$ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value;
}
