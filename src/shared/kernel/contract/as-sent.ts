import { z } from 'zod';
import { childrenOf, definitionOf } from './schema-parts.ts';
import { isJson } from './wire-safe.ts';

type Schema = z.core.$ZodType;
type Members = Readonly<Record<string, unknown>>;
type Member = readonly [name: string, value: unknown, schema: Schema];

/**
 * Returns the part of a value that its sender gave and the schema knows. It leaves out members that the schema drops, and values that
 * parsing adds, such as a default or the time of day. The receiver's own schema adds these values once, wherever the receiver runs.
 */
export type AsSent = (given: unknown, parsed: unknown) => unknown;

const known = new WeakMap<Schema, AsSent>();

/** Returns the `AsSent` of one schema. `given` must have passed the schema, with `parsed` as the result. */
export function asSentBy(schema: z.ZodType): AsSent {
  let asSent = known.get(schema);
  if (!asSent) {
    // For all other schemas, the parsed value is the given one without its unknown members.
    asSent = changesAnything(schema) ? (given) => sent(schema, given) : (_, parsed) => parsed;
    known.set(schema, asSent);
  }
  return asSent;
}

/** Returns the same JSON text for equal values: it sorts the members and leaves out undefined members. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const texts: string[] = [];
  for (const [name, member] of Object.entries(value))
    if (member !== undefined) texts.push(`${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${texts.sort().join()}}`;
}

/** Whether parsing may add a value, or select a union's option by a member that it drops. */
function changesAnything(schema: Schema, seen = new Set<Schema>()): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  const { def } = schema._zod;
  if (def.type === 'default' || def.type === 'prefault' || isOverwritten(schema)) return true;
  if (def.type === 'union' && !('discriminator' in def)) return true;
  return childrenOf(schema).some((child) => changesAnything(child, seen));
}

function isOverwritten({ _zod: { def } }: Schema): boolean {
  return (def.checks ?? []).some((check) => check._zod.def.check === 'overwrite');
}

function isObject(given: unknown): given is Members {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

function sent(schema: Schema, given: unknown): unknown {
  if (given === undefined || given === null) return given;
  const def = definitionOf(schema);
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'readonly':
    case 'default':
    case 'prefault':
      return sent(def.innerType, given);
    case 'object':
      return isObject(given) ? ofObject(def, given) : given;
    case 'array':
      return Array.isArray(given) ? given.map((item) => sent(def.element, item)) : given;
    case 'tuple':
      return Array.isArray(given) ? given.map((item, at) => ofItem(def.items[at] ?? def.rest, item)) : given;
    case 'record':
      return isObject(given) ? copy(membersOf(def, given)) : given;
    case 'union':
      return ofUnion(def.options, given);
    case 'intersection':
      return together(sent(def.left, given), sent(def.right, given));
    case 'number':
      // Round the number when parsing rounds it: a field for integers carries only integers.
      return isOverwritten(schema) && !Number.isInteger(given) ? z.parse(schema, given) : given;
    default:
      return given;
  }
}

function ofObject({ shape, catchall }: z.core.$ZodObjectDef, given: Members): unknown {
  const inShape = Object.entries(shape).map(([key, schema]): Member => [key, given[key], schema]);
  const others = catchall ? allMembers(given, catchall).filter(([key]) => !Object.hasOwn(shape, key)) : [];
  return copy([...inShape, ...others]);
}

/** Only an item beyond the end of a tuple has no schema, and the tuple refuses such a list. */
function ofItem(schema: Schema | null, item: unknown): unknown {
  return schema ? sent(schema, item) : item;
}

/**
 * Returns the sent part of a union's value. The receiver must select the same option. An earlier option may have refused the value only
 * because of a member that this function drops. Then the sender sends the whole value, unless JSON cannot express it.
 */
function ofUnion(options: readonly Schema[], given: unknown): unknown {
  const at = Math.max(
    0,
    options.findIndex((option) => fits(option, given)),
  );
  // `at` is an index: every union has options.
  const taken = sent(options[at]!, given);
  const isAmbiguous = options.slice(0, at).some((option) => fits(option, taken));
  return isAmbiguous && isJson(given) ? given : taken;
}

/** The members that an object's schema reads: inherited ones too, and never `__proto__`. */
function allMembers(given: Members, schema: Schema): Member[] {
  const members: Member[] = [];
  for (const name in given) if (name !== '__proto__') members.push([name, given[name], schema]);
  return members;
}

/** A record with enumerated keys reads each of them, inherited or not. */
function membersOf({ keyType, valueType, partial }: z.core.$ZodRecordDef, given: Members): Member[] {
  const choices = partial ? undefined : keyType._zod.values;
  const names = choices ? [...choices].map(String) : Object.keys(given);
  return names.map((name) => [name, given[name], valueType]);
}

function copy(members: readonly Member[]): unknown {
  const given = members.filter(([, member]) => member !== undefined);
  return Object.fromEntries(given.map(([key, member, schema]) => [key, sent(schema, member)]));
}

function fits(option: Schema, given: unknown): boolean {
  return z.safeParse(option, given).success;
}

/** Joins the members that each side of an intersection knows. */
function together(left: unknown, right: unknown): unknown {
  return isObject(left) && isObject(right) ? { ...left, ...right } : left;
}
