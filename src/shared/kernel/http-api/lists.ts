import type { z } from 'zod';
import { refusal } from '../errors/index.ts';

type Schema = z.core.$ZodTypes;

/**
 * Parameters as the reference describes them: in a query a list has an entry for each time that it is given (`?sku=a&sku=b`); in
 * a path and in a header it is one text with commas. Throws `malformed-request` for what is no list and was given twice: another reader
 * may take the other value.
 */
export function fromQuery(schema: z.ZodObject, given: Readonly<Record<string, readonly string[]>>) {
  const members = Object.entries(given).map(([name, all]) => {
    const written = all.map((text) => asWritten(schemaOf(schema, name), text));
    if (takesList(schema, name)) return [name, written];
    if (all.length > 1 && schemaOf(schema, name))
      throw refusal('malformed-request', `the parameter ${name} is given ${all.length} times; give it once`);
    return [name, written[0]];
  });
  return Object.fromEntries(members) as Record<string, unknown>;
}

/** Asks `textOf` for the schema's own parameters alone: a list of all headers would cost more than everything else here. */
export function fromText({ shape }: z.ZodObject, textOf: (name: string) => string | undefined) {
  const members: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(shape)) {
    const text = textOf(name);
    if (text === undefined) continue;
    members[name] = isList(type) ? text.split(',').map((each) => asWritten(type, each.trim())) : asWritten(type, text);
  }
  return members;
}

/** Whether the parameter is a list. */
export function takesList(schema: z.ZodObject, name: string): boolean {
  return isList(schemaOf(schema, name));
}

/** Of the schema's own: anybody may name a parameter `__proto__`. */
function schemaOf({ shape }: z.ZodObject, name: string): z.core.$ZodType | undefined {
  return Object.hasOwn(shape, name) ? shape[name] : undefined;
}

/** Whether a parameter is a list, though it may be absent or has a default. */
function isList(schema: z.core.$ZodType | undefined): boolean {
  if (!schema) return false;
  const { def } = (schema as Schema)._zod;
  if (def.type === 'array' || def.type === 'tuple') return true;
  if (def.type === 'pipe') return isList(def.in) || isList(def.out);
  if (def.type === 'union') return def.options.every((option) => isList(option));
  return 'innerType' in def && isList(def.innerType);
}

const integer = /^-?\d+$/;
const decimal = /^-?\d+(\.\d+)?$/;

/** A number is written in decimal digits: of any other text, such as 1e2, 0x10 or nothing, `NaN` is left, which no schema takes. */
function asWritten(schema: z.core.$ZodType | undefined, text: string): unknown {
  const number = numberIn(schema);
  if (!number) return text;
  return (number.isInt ? integer : decimal).test(text) ? text : Number.NaN;
}

/** The number that a parameter is, or is a list of. */
function numberIn(schema: z.core.$ZodType | undefined): z.ZodNumber | undefined {
  if (!schema) return undefined;
  const { def } = (schema as Schema)._zod;
  if (def.type === 'number') return schema as z.ZodNumber;
  if (def.type === 'array') return numberIn(def.element);
  if (def.type === 'pipe') return numberIn(def.in) ?? numberIn(def.out);
  return 'innerType' in def ? numberIn(def.innerType) : undefined;
}
