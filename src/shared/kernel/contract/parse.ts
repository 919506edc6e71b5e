import type { z } from 'zod';
import { type Issue, invalidInput, type Refusal } from '../errors/index.ts';
import { type Parser, safeParserOf } from './compiled/compiled.ts';
import { safeParse } from './compiled/throwing-checks.ts';
import { plainly } from './plain-words.ts';

const longestPath = 200;

/** What came from outside, through its schema; throws the `invalid-input` refusal that names every misfit, in plain words. */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  return inputParserOf(schema)(value);
}

/** `parseInput` of one schema, to be asked for once and kept. */
export function inputParserOf<S extends z.ZodType>(schema: S): Parser<S> {
  const parse = safeParserOf(schema);
  return (value) => {
    const result = parse(value);
    if (result.success) return result.data;
    throw mismatch(schema, value);
  };
}

/** The refusal of what does not fit, which names every misfit. */
export function mismatch(schema: z.ZodType, value: unknown): Refusal {
  const { error } = safeParse(schema, value, { error: plainly });
  return invalidInput(error ? toIssues(error) : []);
}

/** At most twenty: an input of ten thousand misfits is answered, not mirrored. Of what is of the wrong type nothing else is said. */
function toIssues(error: z.ZodError): Issue[] {
  const told = error.issues.slice(0, 20);
  const mistyped = new Set(told.flatMap(({ code, path }) => (code === 'invalid_type' ? [written(path)] : [])));
  return told.flatMap((issue) => {
    const { code, message } = issue;
    const path = written(issue.path);
    if (code === 'unrecognized_keys')
      return issue.keys.slice(0, 20).map((key) => unknownField(path === '' ? key : `${path}.${key}`));
    if (code !== 'invalid_type' && mistyped.has(path)) return [];
    return [{ path: path.slice(0, longestPath), message }];
  });
}

/** `lines.0.sku`; a symbol, which a call within the process can bring, cannot be joined. */
function written(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

function unknownField(path: string): Issue {
  return { path: path.slice(0, longestPath), message: 'unknown field' };
}
