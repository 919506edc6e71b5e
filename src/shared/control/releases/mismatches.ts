import { isDeepStrictEqual } from 'node:util';
import { facts, listOf, unknown } from './facts.ts';
import { ofOneType, type Schema } from './ranges.ts';

/** A mismatch: the place where the receiver may refuse a sent value, and the reason. */
export interface Mismatch {
  readonly path: readonly string[];
  readonly what: string;
}

export interface Pair {
  /** The values that the receiver accepts. */
  readonly wide: Schema;
  /** The values that the sender sends. */
  readonly narrow: Schema;
}

/**
 * Returns why `wide` does not describe every value that `narrow` describes, or an empty list when it does. Supports the part of JSON
 * Schema that Zod writes. Reports each case that it cannot decide, and so never reports an incompatible pair as compatible.
 */
export function mismatches(pair: Pair): Mismatch[] {
  return new Comparison(pair.wide, pair.narrow).of(pair.wide, pair.narrow, []);
}

class Comparison {
  /** Pairs whose comparison has begun, so that a recursive schema is compared once. */
  readonly #begun = new Set<string>();
  private readonly wideRoot: Schema;
  private readonly narrowRoot: Schema;

  constructor(wideRoot: Schema, narrowRoot: Schema) {
    this.wideRoot = wideRoot;
    this.narrowRoot = narrowRoot;
  }

  of(given: Schema, sent: Schema, path: readonly string[]): Mismatch[] {
    const [wide, narrow] = [typeByType(given), typeByType(sent)];
    if (isAny(wide)) return [];
    if (wide.$ref || narrow.$ref) return this.#referred(wide, narrow, path);
    const unsure = unknown(wide, narrow).map((what) => ({ path, what }));
    return [...unsure, ...this.#said(wide, narrow, path)];
  }

  #said(given: Schema, narrow: Schema, path: readonly string[]): Mismatch[] {
    // The caller has compared this schema's own checks. The branches need not compare them again.
    const { [facts.checks]: _, ...wide } = given;
    if (isAny(wide)) return [];
    const branches = narrow.anyOf ?? narrow.oneOf;
    if (branches) return branches.flatMap((branch) => this.of(wide, branchOf(narrow, branch), path));
    if (wide.allOf) return [without(wide), ...wide.allOf].flatMap((part) => this.of(part, narrow, path));
    if (narrow.allOf) return this.#best([without(narrow), ...narrow.allOf].map((part) => this.of(wide, part, path)));
    const choices = wide.anyOf ?? wide.oneOf;
    if (choices) return this.#oneOf(choices, narrow, path);
    return this.#single(wide, narrow, path);
  }

  #referred(wide: Schema, narrow: Schema, path: readonly string[]): Mismatch[] {
    const pair = `${JSON.stringify(wide)} ${JSON.stringify(narrow)}`;
    if (this.#begun.has(pair)) return [];
    this.#begun.add(pair);
    return this.of(resolved(wide, this.wideRoot), resolved(narrow, this.narrowRoot), path);
  }

  /** Compares listed values one by one, because each may fit another choice. */
  #oneOf(choices: readonly Schema[], narrow: Schema, path: readonly string[]): Mismatch[] {
    if (narrow.enum && narrow.enum.length > 1)
      return narrow.enum.flatMap((value) => this.#oneOf(choices, { const: value }, path));
    return this.#best(choices.map((choice) => this.of(choice, narrow, path)));
  }

  /** Returns the mismatches of the nearest choice, or none when a choice fits. */
  #best(found: readonly Mismatch[][]): Mismatch[] {
    const weight = (each: readonly Mismatch[]) => each.filter(({ what }) => !what.startsWith('unknown')).length;
    return found.reduce((best, each) => {
      const less = weight(each) - weight(best) || each.length - best.length;
      return less < 0 ? each : best;
    });
  }

  #single(wide: Schema, narrow: Schema, path: readonly string[]): Mismatch[] {
    const here = ofOneType(wide, narrow).map((what) => ({ path, what }));
    if (here.length > 0) return here;
    if (narrow.type === 'object') return this.#members(wide, narrow, path);
    if (narrow.type === 'array') return this.#items(wide, narrow, path);
    return [];
  }

  #members(wide: Schema, narrow: Schema, path: readonly string[]): Mismatch[] {
    const [taken, sent] = [wide.properties ?? {}, narrow.properties ?? {}];
    const missing = (wide.required ?? [])
      .filter((name) => !narrow.required?.includes(name))
      .map((name) => ({ path: [...path, name], what: 'it must be there, and may not be sent' }));
    const others = wide.additionalProperties;
    const members = Object.entries(sent).flatMap(([name, member]): Mismatch[] => {
      const at = [...path, name];
      if (Object.hasOwn(taken, name)) return this.of(taken[name]!, member, at);
      if (others === false) return [{ path: at, what: 'it is no longer known, and is refused' }];
      return typeof others === 'object' ? this.of(others, member, at) : [];
    });
    return [...missing, ...members, ...this.#openMembers(wide, narrow, path)];
  }

  /** Compares members without a declared name, such as the members of a record. */
  #openMembers(wide: Schema, narrow: Schema, path: readonly string[]): Mismatch[] {
    const sent = narrow.additionalProperties;
    const taken = wide.additionalProperties;
    if (sent === false || (sent === undefined && !isRecord(wide))) return [];
    if (wide.propertyNames && !isDeepStrictEqual(wide.propertyNames, narrow.propertyNames))
      return [{ path, what: 'the names of its members cannot be compared' }];
    if (taken === false) return [{ path, what: 'members of any name are not taken any more' }];
    if (typeof taken !== 'object') return [];
    return this.of(taken, typeof sent === 'object' ? sent : {}, [...path, '*']);
  }

  #items(wide: Schema, narrow: Schema, path: readonly string[]): Mismatch[] {
    if (!isDeepStrictEqual(wide.prefixItems?.length, narrow.prefixItems?.length))
      return [{ path, what: 'its items cannot be compared' }];
    const each = (wide.prefixItems ?? []).flatMap((item, at) =>
      this.of(item, narrow.prefixItems?.[at] ?? {}, [...path, String(at)]),
    );
    return [...each, ...(wide.items ? this.of(wide.items, narrow.items ?? {}, [...path, '*']) : [])];
  }
}

function isAny(schema: Schema): boolean {
  return Object.keys(schema).every((key) => notes.includes(key));
}

const notes = ['description', 'title', 'default', 'examples', 'deprecated', 'readOnly', '$defs', 'id', '$id'];

function isRecord({ additionalProperties, propertyNames }: Schema): boolean {
  return typeof additionalProperties === 'object' || propertyNames !== undefined;
}

/** Turns a list of types into a choice of one type each. */
function typeByType(schema: Schema): Schema {
  const { type, ...rest } = schema;
  if (!Array.isArray(type)) return schema;
  return { anyOf: type.map((each: string) => (each === 'null' ? { type: each } : { type: each, ...rest })) };
}

/** Returns the keywords beside a choice. They hold for each of its branches. */
function without({ anyOf: _, oneOf: __, allOf: ___, ...rest }: Schema): Schema {
  return rest;
}

/** Returns a branch with the keywords and the facts of its choice. They hold for each of the branches. */
function branchOf(narrow: Schema, branch: Schema): Schema {
  const both = (name: string) => [...listOf(narrow, name), ...listOf(branch, name)];
  const known = [facts.checks, facts.more].filter((name) => both(name).length > 0);
  return { ...without(narrow), ...branch, ...Object.fromEntries(known.map((name) => [name, both(name)])) };
}

function resolved(schema: Schema, root: Schema): Schema {
  const { $ref, ...beside } = schema;
  if ($ref === undefined) return schema;
  if ($ref === '#') return { ...root, ...beside };
  const found = $ref.startsWith('#/$defs/') ? root.$defs?.[$ref.slice('#/$defs/'.length)] : undefined;
  // A reference that leads nowhere fits nothing.
  return found ? { ...found, ...beside } : { type: 'unknown' };
}
