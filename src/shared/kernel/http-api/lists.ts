import { z } from 'zod';
import { definitionOf } from '../contract/index.ts';
import { refusal } from '../errors/index.ts';

/**
 * Reads query parameters as the reference describes them. A list in a query repeats its parameter (`?sku=a&sku=b`); a list in a
 * path or a header is one text with commas. Throws `malformed-request` when a parameter that is no list appears twice: another
 * reader may take the other value.
 */
export function fromQuery(schema: z.ZodObject, given: Readonly<Record<string, readonly string[]>>) {
  const members = Object.entries(given).map(([name, all]): [string, unknown] => {
    const written = all.map((text) => asWritten(schemaOf(schema, name), text));
    if (takesList(schema, name)) return [name, written];
    if (all.length > 1 && schemaOf(schema, name))
      throw refusal('malformed-request', `the parameter ${name} is given ${all.length} times; give it once`);
    return [name, written[0]];
  });
  return Object.fromEntries(members);
}

/** Reads path or header parameters. Asks `textOf` only for the schema's parameters: a list of all headers would be expensive. */
export function fromText({ shape }: z.ZodObject, textOf: (name: string) => string | undefined) {
  const members: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(shape)) {
    const text = textOf(name);
    if (text === undefined) continue;
    members[name] = isList(type) ? text.split(',').map((each) => asWritten(type, each.trim())) : asWritten(type, text);
  }
  return members;
}

/** Tells whether the parameter is a list. */
export function takesList(schema: z.ZodObject, name: string): boolean {
  return isList(schemaOf(schema, name));
}

/** Returns the schema of a parameter. Reads own properties only: a client may send a parameter named `__proto__`. */
function schemaOf({ shape }: z.ZodObject, name: string): z.core.$ZodType | undefined {
  return Object.hasOwn(shape, name) ? shape[name] : undefined;
}

/** Tells whether a parameter is a list. A list may be optional or have a default. */
function isList(schema: z.core.$ZodType | undefined): boolean {
  if (!schema) return false;
  const def = definitionOf(schema);
  if (def.type === 'array' || def.type === 'tuple') return true;
  if (def.type === 'pipe') return isList(def.in) || isList(def.out);
  if (def.type === 'union') return def.options.every((option) => isList(option));
  return 'innerType' in def && isList(def.innerType);
}

const integer = /^-?\d+$/;
const decimal = /^-?\d+(\.\d+)?$/;

/** Accepts numbers in decimal digits only. Returns `NaN`, which no schema accepts, for other text such as 1e2, 0x10 or nothing. */
function asWritten(schema: z.core.$ZodType | undefined, text: string): unknown {
  const number = numberIn(schema);
  if (!number) return text;
  return (number.isInt ? integer : decimal).test(text) ? text : Number.NaN;
}

/** Returns the number schema of a parameter, or of its items when it is a list. */
function numberIn(schema: z.core.$ZodType | undefined): z.ZodNumber | undefined {
  if (!schema) return undefined;
  const def = definitionOf(schema);
  if (schema instanceof z.ZodNumber) return schema;
  if (def.type === 'array') return numberIn(def.element);
  if (def.type === 'pipe') return numberIn(def.in) ?? numberIn(def.out);
  return 'innerType' in def ? numberIn(def.innerType) : undefined;
}
