import { randomUUID } from 'node:crypto';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** An endpoint that takes a body, and a valid body for it. */
export interface Writing {
  path: string;
  member: boolean;
  body(): Record<string, Json>;
}

export const writing: Writing[] = [
  {
    path: '/members',
    member: false,
    body: () => ({
      email: `${randomUUID()}@example.com`,
      password: 'correct horse',
      name: 'Ada',
      phone: '010-1234-5678',
    }),
  },
  { path: '/sessions', member: false, body: () => ({ email: 'nobody@example.com', password: 'correct horse' }) },
  {
    path: '/orders',
    member: true,
    body: () => ({ lines: [{ sku: 'WAX', quantity: 1 }], payment: { token: 'tok_ok' } }),
  },
  { path: '/posts', member: true, body: () => ({ title: 'A title', body: 'A body' }) },
  { path: `/posts/${randomUUID()}/comments`, member: true, body: () => ({ body: 'A comment' }) },
];

/** Method and path of every endpoint that requires a member or a role. */
export const membersOnly: [method: string, path: string][] = [
  ['GET', '/members/me'],
  ['DELETE', '/sessions/current'],
  ['POST', '/orders'],
  ['GET', '/orders'],
  ['GET', `/orders/${randomUUID()}`],
  ['POST', `/orders/${randomUUID()}/cancel`],
  ['GET', `/orders/${randomUUID()}/summary`],
  ['GET', `/payments/${randomUUID()}`],
  ['GET', '/messages'],
  ['PUT', '/products/WAX'],
  ['POST', '/posts'],
  ['POST', `/posts/${randomUUID()}/comments`],
];

/** Values that are invalid in every field of every body. `badText` has the invalid texts. */
export const mismatches: [about: string, value: Json][] = [
  ['null', null],
  ['true', true],
  ['zero', 0],
  ['a negative number', -1],
  ['a fraction', 1.5],
  ['2^53', 2 ** 53],
  ['1e308', 1e308],
  ['an empty list', []],
  ['an empty object', {}],
  ['a list of itself', [[]]],
  ['empty text', ''],
  ['30,000 letters', 'x'.repeat(30_000)],
];

export const badText: [about: string, value: Json][] = [
  ['NUL', 'correct\u0000horse'],
  ['an escape character', 'correct \u001b[31mhorse'],
  ['a lone high surrogate', 'correct \ud83e horse'],
  ['a lone low surrogate', 'correct \udeda horse'],
];

/** Returns copies of `body`, each with one field at any depth replaced by `value`, and the path of that field. */
export function withField(body: Json, value: Json): [path: string, body: Json][] {
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body).flatMap(([name, inner]) => {
    const put = (replaced: Json): Json => {
      if (Array.isArray(body)) return body.map((each, index) => (String(index) === name ? replaced : each));
      return { ...body, [name]: replaced };
    };
    const deeper = withField(inner, value).map(([path, each]): [string, Json] => [`${name}.${path}`, put(each)]);
    return [[name, put(value)] as [string, Json], ...deeper];
  });
}
