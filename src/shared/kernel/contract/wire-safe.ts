import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { safeParse } from './compiled/throwing-checks.ts';
import { whyRewritten } from './rewriting.ts';
import { checksOf, type Definition, definitionOf } from './schema-parts.ts';

type Schema = z.core.$ZodType;

/** Schema kinds whose values are the same before and after a trip through JSON. */
const safe = new Set([
  ...['string', 'number', 'int', 'boolean', 'null', 'enum', 'literal', 'never', 'template_literal'],
  ...['object', 'array', 'tuple', 'record', 'union', 'intersection'],
  ...['optional', 'nullable', 'default', 'prefault', 'readonly', 'nonoptional'],
]);

/**
 * Throws, when the contract is defined, for a schema whose values do not survive a wire: dates, maps, functions, `any`, transforms,
 * undefined inside lists, numbers that JSON cannot express, and values that each parse changes again. Such a contract would work in one
 * process and break after the extraction. A whole input or answer may be undefined.
 */
export function assertWireSafe(schema: Schema, where: string, seen = new Set<unknown>()): void {
  if (seen.has(schema)) return;
  seen.add(schema);
  const def = definitionOf(schema);
  const [what, cure] = whyUnsafe(schema, def) ?? [];
  if (what) throw new TypeError(`${where} ${what}, whose values do not survive a wire; ${cure}`);
  for (const [name, part] of partsOf(def)) assertWireSafe(part, name ? `${where}.${name}` : where, seen);
}

type Why = readonly [what: string, cure: string] | undefined;

function whyUnsafe(schema: Schema, def: Definition): Why {
  if (!safe.has(def.type)) return [`uses a "${def.type}" schema`, 'use plain JSON types'];
  if ('coerce' in def && def.coerce) return ['takes values of any kind (z.coerce)', 'use plain JSON types'];
  return whyRewritten(schema) ?? whyUnsafeKind(def);
}

function whyUnsafeKind(def: Definition): Why {
  switch (def.type) {
    case 'literal':
      return whyUnsayable(def.values);
    case 'enum':
      return whyUnsayable(Object.values(def.entries));
    case 'default':
      return whyChanged(def.innerType, def.defaultValue);
    case 'object':
      return whyDropped(def);
    case 'array':
      return whyUndefined('a list', [def.element]);
    case 'tuple':
      return whyUndefined('a tuple', def.rest ? [...def.items, def.rest] : def.items);
    case 'record':
      return whyUnseen(def) ?? whyUndefined('a record', [def.valueType]) ?? whyUnsafeKeys(def.keyType);
    default:
      return undefined;
  }
}

/** Returns why JSON cannot express a value. JSON writes minus zero as zero, and a number that is not finite as null. */
function whyUnsayable(values: readonly unknown[]): Why {
  const isSayable = (value: unknown) =>
    value === null || ['string', 'boolean'].includes(typeof value) || (Number.isFinite(value) && !Object.is(value, -0));
  const found = values.find((value) => !isSayable(value));
  if (values.every(isSayable)) return undefined;
  const shown = Object.is(found, -0) ? '-0' : typeof found === 'bigint' ? `${found}n` : String(found);
  return [`has the value ${shown}`, 'use texts, finite numbers, booleans and null'];
}

/** Checks a default value. The side that fills it in does not parse it, but the side that receives it does. */
function whyChanged(schema: Schema, value: unknown): Why {
  const { data, success } = safeParse(schema as z.ZodType, value);
  if (success && isDeepStrictEqual(data, value) && isJson(value)) return undefined;
  return ['has a default that its own schema refuses or changes', 'make it a value that the schema returns as it is'];
}

/** Returns whether JSON keeps the value exactly. */
export function isJson(value: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value);
  } catch {
    return false;
  }
}

function whyDropped({ shape, catchall }: z.core.$ZodObjectDef): Why {
  if (Object.hasOwn(shape, '__proto__') || Object.getOwnPropertySymbols(shape).length > 0)
    return ['has a field called __proto__, or by a symbol', 'give it another name'];
  for (const [name, member] of Object.entries(shape)) {
    if (!takesUndefined(member)) continue;
    // A reader of an object without this field finds the inherited member instead.
    if (name in Object.prototype)
      return [`has an optional field "${name}", a name that every object inherits`, 'rename or require the field'];
    const isSame = member._zod.optin === (fillsUndefined(member) ? 'defaulted' : 'optional');
    if (!isSame) return [`tells an undefined field "${name}" from a missing one`, 'make the field optional'];
  }
  return catchall && whyUndefined('an object', [catchall]);
}

function whyUndefined(what: string, members: readonly Schema[]): Why {
  if (!members.some((member) => takesUndefined(member))) return undefined;
  return [`is ${what} with members that may be undefined`, 'let them be null (nullable), or leave them out'];
}

/** A loose record passes on the values of unknown keys unchecked. */
function whyUnseen({ mode }: z.core.$ZodRecordDef): Why {
  return mode === 'loose' ? ['is a loose record, which does not check unknown keys', 'use z.record'] : undefined;
}

/** Refuses keys that may be any number: JavaScript may write such a key with an exponent, which the receiver does not recognize. */
function whyUnsafeKeys(key: Schema): Why {
  const def = definitionOf(key);
  if (def.type === 'union') return def.options.map(whyUnsafeKeys).find(Boolean);
  const isWhole = checksOf(key).some(({ _zod: { def } }) => 'format' in def && String(def.format).includes('int'));
  if (def.type !== 'number' || isWhole) return undefined;
  return ['is a record by any number', 'use whole numbers (z.int) or texts as keys'];
}

/** Returns whether the schema accepts undefined as a value. It may keep undefined, or replace it with a default. */
function takesUndefined(schema: Schema, seen = new Set<unknown>()): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  const def = definitionOf(schema);
  const takes = (part: Schema) => takesUndefined(part, seen);
  if (def.type === 'default' || def.type === 'prefault') return true;
  if (def.type === 'optional') return !schema._zod.traits.has('$ZodExactOptional') || takes(def.innerType);
  if (def.type === 'nonoptional') return fillsUndefined(def.innerType);
  if (def.type === 'nullable' || def.type === 'readonly') return takes(def.innerType);
  if (def.type === 'union') return def.options.some(takes);
  return def.type === 'intersection' && takes(def.left) && takes(def.right);
}

/** Whether the schema replaces undefined by another value. */
function fillsUndefined(schema: Schema): boolean {
  const def = definitionOf(schema);
  if (def.type === 'union') return def.options.some(fillsUndefined);
  if (def.type === 'intersection') return fillsUndefined(def.left) && fillsUndefined(def.right);
  return def.type === 'default' || def.type === 'prefault' || ('innerType' in def && fillsUndefined(def.innerType));
}

/** Returns the schemas of the parts, with their names if they have any. */
function partsOf(def: Definition): (readonly [string, Schema])[] {
  if (def.type === 'object')
    return [...Object.entries(def.shape), ...(def.catchall ? [['*', def.catchall] as const] : [])];
  if (def.type === 'array') return [['', def.element]];
  if (def.type === 'tuple')
    return [...def.items.map((item, at) => [`${at}`, item] as const), ...(def.rest ? [['*', def.rest] as const] : [])];
  if (def.type === 'record')
    return [
      ['', def.keyType],
      ['', def.valueType],
    ];
  if (def.type === 'union') return def.options.map((option, at) => [`${at}`, option] as const);
  if (def.type === 'intersection')
    return [
      ['', def.left],
      ['', def.right],
    ];
  return 'innerType' in def ? [['', def.innerType]] : [];
}
