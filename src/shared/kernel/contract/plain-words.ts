import type { z } from 'zod';

type Issue = Parameters<z.core.$ZodErrorMap>[0];

const kinds: Record<string, string> = {
  string: 'must be a text',
  number: 'must be a number',
  int: 'must be a whole number',
  boolean: 'must be true or false',
  array: 'must be a list',
  record: 'must be an object: names, each with a value',
  object: 'must be an object: names, each with a value',
};

const formats: Record<string, string> = {
  url: 'must be a URL, such as https://example.com',
  email: 'must be an e-mail address, such as ann@example.com',
  uuid: 'must be an id, such as 01a20574-e281-7377-abb7-f6344bd30f2d',
  datetime: 'must be a time in UTC, such as 2026-11-22T22:51:15.969Z',
};

/** Explains to the author of a value why it is invalid. A message of the schema itself takes priority. */
export function plainly(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return kinds[issue.expected] ?? `must be a ${issue.expected}`;
    case 'invalid_value':
      if (issue.input === undefined) return 'is missing';
      return `must be ${either(issue.values.map(String))}`;
    case 'too_small':
      return `must be ${measure(issue.origin, issue.minimum, issue.inclusive ?? true, 'least')}`;
    case 'too_big':
      return `must be ${measure(issue.origin, issue.maximum, issue.inclusive ?? true, 'most')}`;
    case 'invalid_format':
      return formats[issue.format] ?? 'is not written as it must be';
    case 'unrecognized_keys':
      return `"${issue.keys[0]}" is unknown`;
    case 'invalid_union':
      return 'is none of what it may be';
    case 'invalid_key':
      return issue.issues[0]?.message;
    default:
      return undefined;
  }
}

/** The unit of a value's length, singular and plural. A number has no unit. */
const units: Record<string, [string, string]> = {
  string: ['character long', 'characters long'],
  array: ['entry long', 'entries long'],
};

function measure(origin: string, bound: number | bigint, inclusive: boolean, end: 'least' | 'most'): string {
  const [one, many] = units[origin] ?? [];
  if (one) return `at ${end} ${bound} ${bound === 1 ? one : many}`;
  if (inclusive) return `at ${end} ${bound}`;
  return `${end === 'least' ? 'more' : 'less'} than ${bound}`;
}

function either(values: readonly string[]): string {
  return values.length < 2 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
