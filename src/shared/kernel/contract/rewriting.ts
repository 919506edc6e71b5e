import { z } from 'zod';
import { type Check, checkDefinitionOf, checksOf } from './schema-parts.ts';

type Why = readonly [what: string, cure: string] | undefined;

const textOf = (check: z.core.$ZodCheckOverwrite<string>) => String(check._zod.def.tx);

/** The text rewriters of Zod, by the source of their function. Each is idempotent. */
const known = new Map([
  [textOf(z.trim()), 'trim'],
  [textOf(z.toLowerCase()), 'toLowerCase'],
  [textOf(z.toUpperCase()), 'toUpperCase'],
  [textOf(z.slugify()), 'slugify'],
  [textOf(z.normalize()), 'normalize'],
]);

/** Returns Zod's name of a text rewriter, or undefined for any other function. */
export function rewriterName(tx: unknown): string | undefined {
  return known.get(String(tx));
}

/** Formats that ignore case and contain no spaces: a rewritten text keeps its format. */
const caseless = new Set(['email', 'uuid', 'guid']);

/** Values that show whether a custom check changes the value that it checks. */
const samples: readonly unknown[] = ['', 'x', ' X ', 0, 1, -1.5, true, null, [], ['x'], {}];

/**
 * Returns why a second parse may change or refuse a parsed value. Each side of a wire parses the value once. The reason is an unknown
 * rewriter, two rewriters that undo each other, or a rewriter that runs after a check.
 */
export function whyRewritten(schema: z.core.$ZodType): Why {
  const checks = checksOf(schema);
  const rewriters = checks.map((check) => rewriterOf(check, schema._zod.def.type === 'string'));
  if (rewriters.includes('unknown'))
    return [
      'is rewritten by a function of its own',
      'rewrite it in the handler, or with trim, toLowerCase or normalize',
    ];
  const names = new Set(rewriters.filter((name) => name !== undefined));
  const others = [...names].filter((name) => name !== 'trim');
  if (others.length > 1 || (names.has('trim') && names.has('normalize compatibly')))
    return [`is rewritten in several ways (${[...names].join(', ')})`, 'use one of them'];
  const last = rewriters.findLastIndex((name) => name !== undefined);
  const early = checks.slice(0, Math.max(0, last)).find((check, at) => !rewriters[at] && !isKept(check, others));
  return early && ['is rewritten after it was checked', `put ${[...names].join(', ')} before the other checks`];
}

/** Returns the name of the rewriter in a check, or undefined when the check does not rewrite the value. */
function rewriterOf(check: Check, ofText: boolean): string | undefined {
  const def = checkDefinitionOf(check);
  if (def.check === 'overwrite') {
    const name = ofText ? rewriterName(def.tx) : undefined;
    // The check does not expose its normalization form. This text tells NFC from NFKC, and NFD from NFKD.
    if (name === 'normalize' && !/\u017f|\u1e9b/.test(String(def.tx('\u1e9b')))) return 'normalize compatibly';
    return name ?? 'unknown';
  }
  if ('fn' in def && def.fn !== undefined) return undefined;
  if (def.check === 'string_format' && def.format === 'url')
    return 'normalize' in def && def.normalize ? 'a normalized url' : 'url';
  return def.check === 'custom' && writes(check) ? 'unknown' : undefined;
}

/** Returns whether a custom check changes a sample value. Such a check should only report issues. */
function writes(check: Check): boolean {
  return samples.some((value) => {
    const payload = { value, issues: [], addIssue() {} };
    try {
      // No type says which values the check expects.
      Promise.resolve(check._zod.check(payload as never)).catch(() => {});
    } catch {
      // The check expects other values.
    }
    return !Object.is(payload.value, value);
  });
}

/** Returns whether a value that passed the check still passes it after the rewriters. */
function isKept(check: Check, rewriters: readonly string[]): boolean {
  const def = checkDefinitionOf(check);
  if (def.check === 'max_length') return rewriters.every((name) => name === 'url');
  return def.check === 'string_format' && caseless.has(def.format) && !rewriters.includes('slugify');
}
