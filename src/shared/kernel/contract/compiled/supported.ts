import type { z } from 'zod';
import {
  type CheckDefinition,
  checkDefinitionOf,
  checksOf,
  childrenOf,
  type Definition,
  definitionOf,
} from '../schema-parts.ts';

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
  const def = definitionOf(schema);
  const checks = kinds[def.type];
  if (!checks || !checkDefinitionsOf(schema).every((check) => checks.includes(check.check) && isExact(check)))
    return false;
  return isExactKind(def) && childrenOf(schema).every((child) => isSupported(child, seen));
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
  return checkDefinitionsOf(member).every((check) => !risky.includes(check.check) && !('fn' in check));
}

/** Returns whether the schema replaces a missing value with a value that it does not check. */
function isDefault(schema: z.core.$ZodType): boolean {
  const def = definitionOf(schema);
  if (def.type === 'optional' || def.type === 'nullable' || def.type === 'readonly') return isDefault(def.innerType);
  return def.type === 'default';
}

/** Formats that compile to Zod's own function, even when the schema has another function. */
const builtIn = ['base64', 'base64url', 'jwt', 'ipv6', 'cidrv6', 'credit_card', 'iban', 'url', 'httpurl'];

/** The members that only some definitions of a string format have. */
type StringFormat = { readonly format: string; readonly fn?: unknown; readonly position?: number };

function isExact(check: CheckDefinition): boolean {
  if (check.check !== 'string_format') return true;
  const { format, fn, position }: StringFormat = check;
  // In the compiled form, the text before the position must not contain a line break.
  if (format === 'includes') return position === undefined;
  const rewrites = ['normalize', 'hostname', 'protocol'].some((option) => option in check);
  return fn === undefined || (!builtIn.includes(format) && !rewrites);
}

function checkDefinitionsOf(schema: z.core.$ZodType): CheckDefinition[] {
  return checksOf(schema).map(checkDefinitionOf);
}
