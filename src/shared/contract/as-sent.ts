import type { z } from 'zod';

type Schema = z.core.$ZodType;
type Members = Readonly<Record<string, unknown>>;

/**
 * Takes of a value what its sender gave and the schema knows: no members that the schema drops, and nothing that parsing makes by
 * itself, such as a default or the time of day. The receiver's own schema makes that, once, wherever it is.
 */
export type AsSent = (given: unknown, parsed: unknown) => unknown;

const known = new WeakMap<Schema, AsSent>();

/** `AsSent` of one schema. `given` must have passed it, with `parsed` as the result. */
export function asSentBy(schema: z.ZodType): AsSent {
  let asSent = known.get(schema);
  if (!asSent) {
    // Where parsing makes nothing, it has only dropped what is not known.
    asSent = makesAnything(schema) ? (given) => sent(schema, given) : (_, parsed) => parsed;
    known.set(schema, asSent);
  }
  return asSent;
}

/** JSON in which equal values are equal texts: members in order, those that are undefined left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const texts = members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${texts.sort().join()}}`;
}

function makesAnything(schema: Schema, seen = new Set<Schema>()): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  const { def } = schema._zod;
  if (def.type === 'default' || def.type === 'prefault' || isOverwritten(schema)) return true;
  const { checks: _, shape = {}, ...parts } = def as z.core.$ZodTypeDef & { readonly shape?: object };
  return [...Object.values(shape), ...Object.values(parts).flat()].some(
    (child) => isSchema(child) && makesAnything(child, seen),
  );
}

function isOverwritten({ _zod: { def } }: Schema): boolean {
  return (def.checks ?? []).some((check) => check._zod.def.check === 'overwrite');
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && '_zod' in value;
}

/** A value that a loose record lets through unseen may be of any kind. */
function isObject(given: unknown): given is Members {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

function sent(schema: Schema, given: unknown): unknown {
  if (given === undefined || given === null) return given;
  const { def } = (schema as z.core.$ZodTypes)._zod;
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
      return Array.isArray(given) ? given.map((item, at) => sent(def.items[at] ?? def.rest!, item)) : given;
    case 'record':
      return isObject(given) ? copy(Object.entries(given), () => def.valueType) : given;
    case 'union':
      return sent(def.options.find((option) => fits(option, given)) ?? def.options[0]!, given);
    case 'intersection':
      return together(sent(def.left, given), sent(def.right, given));
    case 'number':
      // Rounded where parsing rounds: a field for integers carries nothing else.
      return isOverwritten(schema) && !Number.isInteger(given) ? (schema as z.ZodNumber).parse(given) : given;
    default:
      return given;
  }
}

function ofObject({ shape, catchall }: z.core.$ZodObjectDef, given: Members): unknown {
  const inShape = Object.keys(shape).map((key): [string, unknown] => [key, given[key]]);
  const others = catchall ? Object.entries(given).filter(([key]) => !Object.hasOwn(shape, key)) : [];
  return copy([...inShape, ...others], (key) => (Object.hasOwn(shape, key) ? shape[key]! : catchall!));
}

function copy(entries: readonly [string, unknown][], schemaOf: (key: string) => Schema): unknown {
  const given = entries.filter(([, member]) => member !== undefined);
  return Object.fromEntries(given.map(([key, member]) => [key, sent(schemaOf(key), member)]));
}

function fits(option: Schema, given: unknown): boolean {
  return (option as z.ZodType).safeParse(given).success;
}

/** Each side of an intersection has taken the members that it knows. */
function together(left: unknown, right: unknown): unknown {
  return isObject(left) && isObject(right) ? { ...left, ...right } : left;
}
