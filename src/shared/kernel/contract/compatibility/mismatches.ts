import { isDeepStrictEqual } from 'node:util';
import { facts, listOf, unknown } from './facts.ts';
import { ofOneType, type Schema } from './ranges.ts';

/** Where a value that is sent may not be taken, and why. */
export interface Misfit {
  readonly path: readonly string[];
  readonly what: string;
}

export interface Pair {
  /** How a value is taken. */
  readonly wide: Schema;
  /** How it is sent. */
  readonly narrow: Schema;
}

/**
 * Why not every value that `narrow` describes is one that `wide` describes, over the part of JSON Schema that Zod writes; nothing when
 * every one is. What it cannot decide it reports: it never takes for compatible what is not.
 */
export function misfits(pair: Pair): Misfit[] {
  return new Comparison(pair.wide, pair.narrow).of(pair.wide, pair.narrow, []);
}

class Comparison {
  /** Pairs that are being compared: a schema that holds itself is compared once. */
  readonly #begun = new Set<string>();
  private readonly wideRoot: Schema;
  private readonly narrowRoot: Schema;

  constructor(wideRoot: Schema, narrowRoot: Schema) {
    this.wideRoot = wideRoot;
    this.narrowRoot = narrowRoot;
  }

  of(given: Schema, sent: Schema, path: readonly string[]): Misfit[] {
    const [wide, narrow] = [typeByType(given), typeByType(sent)];
    if (isAny(wide)) return [];
    if (wide.$ref || narrow.$ref) return this.#referred(wide, narrow, path);
    const unsure = unknown(wide, narrow).map((what) => ({ path, what }));
    return [...unsure, ...this.#said(wide, narrow, path)];
  }

  #said(given: Schema, narrow: Schema, path: readonly string[]): Misfit[] {
    // What was found of this schema's own facts need not be found of each of its branches.
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

  #referred(wide: Schema, narrow: Schema, path: readonly string[]): Misfit[] {
    const pair = `${JSON.stringify(wide)} ${JSON.stringify(narrow)}`;
    if (this.#begun.has(pair)) return [];
    this.#begun.add(pair);
    return this.of(resolved(wide, this.wideRoot), resolved(narrow, this.narrowRoot), path);
  }

  /** Values that are listed may each be taken by another of the choices. */
  #oneOf(choices: readonly Schema[], narrow: Schema, path: readonly string[]): Misfit[] {
    if (narrow.enum && narrow.enum.length > 1)
      return narrow.enum.flatMap((value) => this.#oneOf(choices, { const: value }, path));
    return this.#best(choices.map((choice) => this.of(choice, narrow, path)));
  }

  /** The nearest of several that failed, or none when one has not. */
  #best(found: readonly Misfit[][]): Misfit[] {
    const weight = (each: readonly Misfit[]) => each.filter(({ what }) => !what.startsWith('unknown')).length;
    return found.reduce((best, each) => {
      const less = weight(each) - weight(best) || each.length - best.length;
      return less < 0 ? each : best;
    });
  }

  #single(wide: Schema, narrow: Schema, path: readonly string[]): Misfit[] {
    const here = ofOneType(wide, narrow).map((what) => ({ path, what }));
    if (here.length > 0) return here;
    if (narrow.type === 'object') return this.#members(wide, narrow, path);
    if (narrow.type === 'array') return this.#items(wide, narrow, path);
    return [];
  }

  #members(wide: Schema, narrow: Schema, path: readonly string[]): Misfit[] {
    const [taken, sent] = [wide.properties ?? {}, narrow.properties ?? {}];
    const missing = (wide.required ?? [])
      .filter((name) => !narrow.required?.includes(name))
      .map((name) => ({ path: [...path, name], what: 'it must be there, and may not be sent' }));
    const others = wide.additionalProperties;
    const members = Object.entries(sent).flatMap(([name, member]): Misfit[] => {
      const at = [...path, name];
      if (Object.hasOwn(taken, name)) return this.of(taken[name]!, member, at);
      if (others === false) return [{ path: at, what: 'it is not known any more, and refused' }];
      return typeof others === 'object' ? this.of(others, member, at) : [];
    });
    return [...missing, ...members, ...this.#openMembers(wide, narrow, path)];
  }

  /** Members without a name of their own, as a record has them. */
  #openMembers(wide: Schema, narrow: Schema, path: readonly string[]): Misfit[] {
    const sent = narrow.additionalProperties;
    const taken = wide.additionalProperties;
    if (sent === false || (sent === undefined && !isRecord(wide))) return [];
    if (wide.propertyNames && !isDeepStrictEqual(wide.propertyNames, narrow.propertyNames))
      return [{ path, what: 'the names of its members cannot be compared' }];
    if (taken === false) return [{ path, what: 'members of any name are not taken any more' }];
    if (typeof taken !== 'object') return [];
    return this.of(taken, typeof sent === 'object' ? sent : {}, [...path, '*']);
  }

  #items(wide: Schema, narrow: Schema, path: readonly string[]): Misfit[] {
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

/** Several types are a choice among them. */
function typeByType(schema: Schema): Schema {
  const { type, ...rest } = schema;
  if (!Array.isArray(type)) return schema;
  return { anyOf: type.map((each: string) => (each === 'null' ? { type: each } : { type: each, ...rest })) };
}

/** What stands beside a choice holds for each of its branches. */
function without({ anyOf: _, oneOf: __, allOf: ___, ...rest }: Schema): Schema {
  return rest;
}

/** What is known of a choice is known of each of its branches. */
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
  // Nobody describes the same thing by a name that leads nowhere: it fits nothing.
  return found ? { ...found, ...beside } : { type: 'unknown' };
}
