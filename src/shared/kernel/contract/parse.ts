import type { z } from 'zod';
import { type Issue, invalidInput, type Refusal } from '../errors/index.ts';
import { type Parser, safeParserOf } from './compiled/compiled.ts';
import { safeParse } from './compiled/throwing-checks.ts';
import { plainly } from './plain-words.ts';

const longestPath = 200;

/** Parses external input. Throws the `invalid-input` refusal, which names the validation issues in plain words. */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  return inputParserOf(schema)(value);
}

/** Returns `parseInput` for one schema. Call it once and keep the result. */
export function inputParserOf<S extends z.ZodType>(schema: S): Parser<S> {
  const parse = safeParserOf(schema);
  return (value) => {
    const result = parse(value);
    if (result.success) return result.data;
    throw mismatch(schema, value);
  };
}

/** Creates the refusal of an invalid value, which names its validation issues. */
export function mismatch(schema: z.ZodType, value: unknown): Refusal {
  const { error } = safeParse(schema, value, { error: plainly });
  return invalidInput(error ? toIssues(error) : []);
}

/** Converts only the first twenty issues of Zod, so that the answer stays small. A value of the wrong type gets no further issue. */
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

/** Writes a path such as `lines.0.sku`. It converts symbols, which a local call can contain and `join` refuses. */
function written(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

function unknownField(path: string): Issue {
  return { path: path.slice(0, longestPath), message: 'unknown field' };
}
