import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

export type Json = Record<string, unknown>;

/**
 * Converts schemas to OpenAPI 3.1. A referenced schema, also one that references itself, becomes a component: `#` in the document
 * means the document, not the schema.
 */
export class Schemas {
  /** By name. */
  readonly components: Record<string, Json>;

  constructor(components: Readonly<Record<string, Json>>) {
    this.components = { ...components };
  }

  /** Converts a schema. `name` is the name of schemas without their own name (`meta({ id })`). */
  of(schema: z.ZodType, io: 'input' | 'output', name: string): Json {
    const json = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
    const { $schema: _, $id: __, id, $defs = {}, ...root } = json;
    const parts = { ...($defs as Record<string, Json>) };
    const isReferred = JSON.stringify([root, parts]).includes('"$ref":"#"');
    if (!isReferred && Object.keys(parts).length === 0) return root;
    const nameOf = (key: string) => (key.startsWith('__schema') ? `${name}_${key.slice('__schema'.length)}` : key);
    const wanted = new Map(Object.keys(parts).map((key) => [`#/$defs/${key}`, nameOf(key)]));
    if (isReferred) wanted.set('#', typeof id === 'string' ? id : name);
    const given = this.#give(wanted, { ...prefixed(parts), '#': root });
    for (const [pointer, part] of Object.entries({ ...prefixed(parts), ...(isReferred && { '#': root }) }))
      this.components[given.get(pointer)!] = readdressed(part, given) as Json;
    return isReferred ? { $ref: addressOf(given.get('#')!) } : (readdressed(root, given) as Json);
  }

  /** Returns component names that are free or already belong to an equal component. */
  #give(wanted: ReadonlyMap<string, string>, parts: Readonly<Record<string, Json>>): ReadonlyMap<string, string> {
    for (let count = 1; ; count++) {
      const given = new Map(
        [...wanted].map(([pointer, name], at) => [
          pointer,
          `${name.replaceAll(/[^\w.-]/g, '_')}${count === 1 ? '' : `_${count}_${at}`}`,
        ]),
      );
      const fits = [...given].every(([pointer, name]) => {
        const known = this.components[name];
        return known === undefined || isDeepStrictEqual(known, readdressed(parts[pointer]!, given));
      });
      if (fits && new Set(given.values()).size === given.size) return given;
    }
  }
}

function addressOf(name: string): string {
  return `#/components/schemas/${name}`;
}

function prefixed(parts: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(parts).map(([key, part]) => [`#/$defs/${key}`, part]));
}

/** Copies a value and redirects its references to components. */
function readdressed(value: unknown, given: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((each) => readdressed(each, given));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => {
    const name = key === '$ref' && typeof member === 'string' ? given.get(member) : undefined;
    return [key, name === undefined ? readdressed(member, given) : addressOf(name)];
  });
  return Object.fromEntries(members);
}
