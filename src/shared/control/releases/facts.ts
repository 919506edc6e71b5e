import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { rewriterName } from '../../kernel/contract/index.ts';
import type { Schema } from './ranges.ts';

/** Facts that JSON Schema does not express: `checks` refuse more values than the JSON Schema, `more` accepts more values. */
export const facts = { checks: 'x-checks', more: 'x-more' } as const;

type Check = z.core.$ZodChecks['_zod']['def'] & Readonly<Record<string, unknown>>;

const bounds = ['less_than', 'greater_than', 'multiple_of', 'number_format'];
const lengths = ['min_length', 'max_length', 'length_equals'];
/** The checks that JSON Schema expresses, by the kind of value that they apply to. */
const said: Readonly<Record<string, readonly string[]>> = {
  string: [...lengths, 'string_format'],
  array: lengths,
  number: bounds,
};
const meaningless = ['describe', 'meta'];

/** Adds to a JSON Schema the facts that it leaves out. Pass it as `override` to `z.toJSONSchema`. */
export function noteFacts({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: object }): void {
  const { def, traits } = (zodSchema as z.core.$ZodTypes)._zod;
  const own = traits.has('$ZodCheck') ? [def as unknown as Check] : [];
  const all = [...own, ...(def.checks ?? []).map((check) => check._zod.def as Check)];
  const checks = [...all.flatMap((check) => unsaid(check, def.type)), ...rewritten(all)];
  if (def.type === 'union' && def.inclusive === false && !('discriminator' in def))
    checks.push('exactly one of several');
  const more = all.flatMap((check) => flagsOf(check).map((flags) => `a pattern with the flags ${flags}`));
  for (const [name, found] of [[facts.checks, checks] as const, [facts.more, more] as const])
    if (found.length > 0) Object.assign(jsonSchema, { [name]: found.sort() });
}

function unsaid(check: Check, type: string): string[] {
  if (check.check === 'overwrite' || meaningless.includes(check.check)) return [];
  if (check.check !== 'string_format' || type !== 'string')
    return said[type]?.includes(check.check) ? [] : [named(check)];
  const { hostname, protocol, alg, fn, pattern } = check as { [option: string]: unknown };
  return [
    ...(hostname ? [`the host is ${hostname}`] : []),
    ...(protocol ? [`the protocol is ${protocol}`] : []),
    ...(alg ? [`the algorithm is ${alg}`] : []),
    ...flagsOf(check).map((flags) => `a pattern with the flags ${flags}`),
    ...(fn && !pattern ? [named(check)] : []),
  ];
}

/** Returns the flags of a pattern, except the global one, which changes nothing. JSON Schema has the source of a pattern, but no flags. */
function flagsOf({ pattern }: Check): string[] {
  const flags = pattern instanceof RegExp ? pattern.flags.replaceAll('g', '') : '';
  return flags ? [flags] : [];
}

/** Reports checks that run after a rewriter: they hold for the rewritten text, and not for the sent text. */
function rewritten(all: readonly Check[]): string[] {
  const first = all.findIndex((check) => check.check === 'overwrite');
  const names = all.flatMap(({ check, tx }) => (check === 'overwrite' ? [rewriterName(tx) ?? digest(String(tx))] : []));
  const isChecked = first >= 0 && all.slice(first).some((check) => check.check !== 'overwrite');
  return isChecked ? [`${names.join(', ')} before it is checked`] : [];
}

/** Names a custom check by its message, or else by a digest of its source. Another build may write the source differently. */
function named(check: Check): string {
  const { fn, check: kind, error, ...rest } = check as Check & { error?: (issue: object) => unknown };
  const message = messageOf(error);
  const path = Array.isArray(rest.path) ? ` at ${rest.path.join('.')}` : '';
  if (message !== undefined) return `a check of its own${path} (${message})`;
  return `a check of its own${path} (${kind} ${digest(`${String(fn)} ${JSON.stringify(rest, texts)}`)})`;
}

function messageOf(error: ((issue: object) => unknown) | undefined): string | undefined {
  try {
    const message = error?.({ input: undefined });
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

function texts(_: string, value: unknown): unknown {
  return typeof value === 'function' || value instanceof RegExp || typeof value === 'bigint' ? String(value) : value;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** Returns why it is unknown whether the receiver accepts every sent value. */
export function unknown(wide: Schema, narrow: Schema): string[] {
  const lacking = (name: string, from: Schema, of: Schema) => {
    const known = listOf(of, name);
    return listOf(from, name).filter((each) => !known.includes(each));
  };
  return [
    ...lacking(facts.checks, wide, narrow).map((each) => `unknown: new is ${each}`),
    ...lacking(facts.more, narrow, wide).map((each) => `unknown: ${each} may be sent`),
  ];
}

export function listOf(schema: Schema, name: string): readonly string[] {
  return (schema[name] as readonly string[] | undefined) ?? [];
}
