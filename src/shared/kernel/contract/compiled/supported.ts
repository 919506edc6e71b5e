import type { z } from 'zod';

type Schema = z.core.$ZodTypes;
type Definition = Schema['_zod']['def'];
type CheckDefinition = z.core.$ZodChecks['_zod']['def'];

/**
 * Kinds of schemas whose compiled form was compared with Zod's own answers (schemas.cases.ts nests them in every way), each with
 * the checks that were made for it. Not intersections: compiled, `strictObject({ a })` and `object({ b })` refuse together what
 * Zod accepts. Checks on values of another kind compare undefined with a bound, and accept what Zod refuses.
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

/** Whether every part of `schema` is of a kind that may be compiled. */
export function isSupported(schema: z.core.$ZodType, seen = new Set<unknown>()): boolean {
  if (seen.has(schema)) return true;
  seen.add(schema);
  const { def } = (schema as Schema)._zod;
  const checks = kinds[def.type];
  if (!checks || !checksOf(schema).every((check) => checks.includes(check.check) && isExact(check))) return false;
  return isExactKind(def) && childrenOf(def).every((child) => isSupported(child, seen));
}

/** Whether the compiled form accepts and refuses the same values as Zod's, also where another part would take a refused one. */
function isExactKind(def: Definition): boolean {
  switch (def.type) {
    case 'tuple':
      // Zod fills up a list that is too short for a tuple with a rest, and each form cuts the missing ones in its own way.
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
 * Zod tries each member of a choice to its end, and fails when a check throws there. Compiled, a member ends with its first
 * misfit, and the next is tried: only members that hold no others, and run no function of somebody else, end alike.
 */
function cannotThrow(member: z.core.$ZodType): boolean {
  const { type } = member._zod.def;
  if (['object', 'array', 'tuple', 'record', 'union', 'unknown'].includes(type) || 'innerType' in member._zod.def)
    return false;
  const risky = [...lengths, 'overwrite', 'custom'];
  return checksOf(member).every((check) => !risky.includes(check.check) && !('fn' in check));
}

/** Whether absence is met with a value that nothing checks. */
function isDefault({ _zod: { def } }: z.core.$ZodType): boolean {
  const { type, innerType } = def as Definition & { innerType?: z.core.$ZodType };
  if (type === 'default') return true;
  return ['optional', 'nullable', 'readonly'].includes(type) && isDefault(innerType!);
}

/** Formats that are compiled to Zod's own function, whatever the schema has instead. */
const builtIn = ['base64', 'base64url', 'jwt', 'ipv6', 'cidrv6', 'credit_card', 'iban', 'url', 'httpurl'];

function isExact(check: CheckDefinition): boolean {
  if (check.check !== 'string_format') return true;
  const { format, fn, position } = check as { format: string; fn?: unknown; position?: number };
  // Compiled, what stands before the position must have no line break.
  if (format === 'includes') return position === undefined;
  const rewrites = ['normalize', 'hostname', 'protocol'].some((option) => option in check);
  return fn === undefined || (!builtIn.includes(format) && !rewrites);
}

/** The checks of a schema, itself among them when it is one. */
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
