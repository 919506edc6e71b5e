import type { Hono } from 'hono';
import { refusal } from '../../kernel/errors/index.ts';
import { problemResponse, type Resources } from '../../kernel/http-api/index.ts';

/** Returns the methods of each path, in capitals. */
export function methodsByPath(resources: readonly Pick<Resources, 'endpoints'>[]): ReadonlyMap<string, Set<string>> {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of resources.flatMap(({ endpoints }) => endpoints)) {
    methods.set(path, (methods.get(path) ?? new Set()).add(method.toUpperCase()));
  }
  return methods;
}

/**
 * Answers the methods that no endpoint of `path` has: `OPTIONS` with `Allow`, and every other method with 405 and `Allow`. Call it
 * after the endpoints are mounted.
 */
export function answerOtherMethods(app: Hono, path: string, methods: ReadonlySet<string>): void {
  // Hono answers HEAD by the handler for GET.
  const all = new Set([...methods, ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS']);
  const allow = [...all].join(', ');
  app.on('OPTIONS', path, (c) => c.body(null, 204, { allow }));
  app.all(path, () => problemResponse(refusal('method-not-allowed', `send ${allow}`), { allow }));
}
