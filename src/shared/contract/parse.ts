import type { z } from 'zod';
import { type Issue, invalidInput } from '../errors/index.ts';
import { type Parser, safeParserOf } from './compiled/index.ts';
import { plainly } from './plain-words.ts';

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
    throw invalidInput(toIssues(schema.safeParse(value, { error: plainly }).error ?? result.error));
  };
}

/** At most twenty: an input of ten thousand misfits is answered, not mirrored. */
export function toIssues(error: z.ZodError): Issue[] {
  return error.issues.slice(0, 20).flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys
        .slice(0, 20)
        .map((key) => ({ path: [...path, key].join('.').slice(0, 200), message: 'unknown field' }));
    }
    return [{ path: path.join('.').slice(0, 200), message: issue.message }];
  });
}
