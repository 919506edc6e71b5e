import { isDeepStrictEqual } from 'node:util';

/** The part of JSON Schema that Zod writes. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly [keyword: string]: unknown;
}

/** Lower and upper bounds. The receiver's bound must not be tighter than the sender's bound. */
const bounds: Readonly<Record<string, { tighter: (taken: number, sent: number) => boolean; open: number }>> = {
  minimum: { tighter: (taken, sent) => taken > sent, open: Number.NEGATIVE_INFINITY },
  exclusiveMinimum: { tighter: (taken, sent) => taken > sent, open: Number.NEGATIVE_INFINITY },
  minLength: { tighter: (taken, sent) => taken > sent, open: 0 },
  minItems: { tighter: (taken, sent) => taken > sent, open: 0 },
  minProperties: { tighter: (taken, sent) => taken > sent, open: 0 },
  maximum: { tighter: (taken, sent) => taken < sent, open: Number.POSITIVE_INFINITY },
  exclusiveMaximum: { tighter: (taken, sent) => taken < sent, open: Number.POSITIVE_INFINITY },
  maxLength: { tighter: (taken, sent) => taken < sent, open: Number.POSITIVE_INFINITY },
  maxItems: { tighter: (taken, sent) => taken < sent, open: Number.POSITIVE_INFINITY },
  maxProperties: { tighter: (taken, sent) => taken < sent, open: Number.POSITIVE_INFINITY },
};

/** Keywords whose values are equal, or else cannot be compared. */
const exact = ['pattern', 'format', 'multipleOf', 'contentEncoding', 'uniqueItems', 'not'];

/** Keywords that other code compares, or that do not affect values. */
const known = new Set([
  ...['$defs', 'type', 'const', 'enum', 'properties', 'required', 'additionalProperties', 'propertyNames', 'items'],
  ...['prefixItems', 'description', 'title', 'default', 'examples', 'deprecated', 'readOnly', 'id', '$id'],
  ...['x-checks', 'x-more'],
  ...Object.keys(bounds),
  ...exact,
]);

/** Returns why `wide` does not accept all values of one type that `narrow` describes. Does not compare their members or items. */
export function ofOneType(wide: Schema, narrow: Schema): string[] {
  const [taken, sent] = [valuesOf(wide), valuesOf(narrow)];
  if (sent)
    return sent.flatMap((value) => (holds(wide, taken, value) ? [] : [`${JSON.stringify(value)} is not taken`]));
  if (taken) return [`only ${taken.map((value) => JSON.stringify(value)).join(', ')} are taken`];
  if (wide.type !== undefined && wide.type !== narrow.type && !(wide.type === 'number' && narrow.type === 'integer'))
    return [`${narrow.type ?? 'any value'} is sent, and ${wide.type} is taken`];
  const strange = Object.keys(wide).find(
    (keyword) => !known.has(keyword) && !isDeepStrictEqual(wide[keyword], narrow[keyword]),
  );
  if (strange !== undefined) return [`it cannot be compared: ${strange}`];
  return [...outOfBounds(wide, narrow), ...exact.flatMap((keyword) => differing(keyword, wide, narrow))];
}

function outOfBounds(wide: Schema, narrow: Schema): string[] {
  return Object.entries(bounds).flatMap(([keyword, { tighter, open }]) => {
    const [taken, sent] = [wide[keyword], narrow[keyword]];
    if (typeof taken !== 'number') return [];
    const least = typeof sent === 'number' ? sent : (other(keyword, narrow) ?? open);
    return tighter(taken, least) ? [`${keyword} is ${taken} now, and ${least} may be sent`] : [];
  });
}

/** Returns the sender's stricter bound for a keyword: `exclusiveMinimum: 0` satisfies `minimum: 0`, but not the reverse. */
function other(keyword: string, narrow: Schema): number | undefined {
  const stricter = { minimum: 'exclusiveMinimum', maximum: 'exclusiveMaximum' }[keyword];
  const value = stricter && narrow[stricter];
  return typeof value === 'number' ? value : undefined;
}

function differing(keyword: string, wide: Schema, narrow: Schema): string[] {
  if (wide[keyword] === undefined || isDeepStrictEqual(wide[keyword], narrow[keyword])) return [];
  if (keyword === 'multipleOf' && Number.isInteger(Number(narrow[keyword]) / Number(wide[keyword]))) return [];
  const shown = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  const unsure = narrow[keyword] === undefined ? '' : 'unknown: ';
  return [`${unsure}${keyword} is ${shown(wide[keyword])} where ${shown(narrow[keyword])} is sent`];
}

function valuesOf({ enum: values, const: value, ...rest }: Schema): readonly unknown[] | undefined {
  return values ?? (value !== undefined || rest.type === 'null' ? [value ?? null] : undefined);
}

/** Returns whether the receiver accepts a listed value: by its own list, or by type alone. */
function holds(wide: Schema, taken: readonly unknown[] | undefined, value: unknown): boolean {
  if (taken) return taken.some((each) => isDeepStrictEqual(each, value));
  const type = value === null ? 'null' : typeof value;
  if (wide.type !== undefined && wide.type !== type && !(wide.type === 'integer' && Number.isInteger(value)))
    return false;
  // Bounds are not compared with single values: a schema that has bounds counts as not accepting the value.
  return Object.keys(wide).every((keyword) => !(keyword in bounds) && !exact.includes(keyword));
}
