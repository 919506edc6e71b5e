import { expect } from 'vitest';
import type { Kerf } from '../../harness/kerf.ts';
import { type RawAnswer, type RawRequest, send } from './raw.ts';

/** A request that the system must refuse, and the expected refusal. */
export interface Refused extends RawRequest {
  /** Description of the mistake in the request. */
  about: string;
  /** Expected status and code, such as `422 invalid-input`. */
  with: string;
}

const inside = /\bat .+:\d+:\d+|node_modules|\.[jt]s:\d|127\.0\.0\.1|ECONN|SQLITE|\/(modules|routes|tmp)\//;

/** Sends all requests. Fails with the list of requests without the expected refusal. */
export async function expectRefused(kerf: Kerf, requests: readonly Refused[]): Promise<void> {
  expect(requests.length).toBeGreaterThan(0);
  const mismatches: string[] = [];
  const documented = await documentedAt(kerf.url);
  for (const request of requests) {
    const answer = await send(kerf.url, request).catch((error: Error) => error);
    const wrong =
      answer instanceof Error
        ? `no answer: ${answer.message}`
        : (mismatch(answer, request, kerf) ?? undocumented(answer, request, documented));
    if (wrong) mismatches.push(`${request.method} ${request.path.slice(0, 60)}, ${request.about}: ${wrong}`);
  }
  expect(mismatches).toEqual([]);
}

interface Documented {
  readonly method: string;
  readonly path: RegExp;
  readonly statuses: readonly string[];
}

/** Returns the documented answers of each resource, from the OpenAPI reference. */
async function documentedAt(url: string): Promise<Documented[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { responses: object }>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => ({
      method: method.toUpperCase(),
      path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
      statuses: Object.keys(responses),
    })),
  );
}

function undocumented({ status }: RawAnswer, { method, path }: Refused, all: Documented[]): string | undefined {
  const [pathname = ''] = path.split('?');
  const resource = all.find((each) => each.method === method && each.path.test(pathname));
  if (!resource || resource.statuses.includes(String(status))) return undefined;
  return `${status}, of which the reference says nothing`;
}

function mismatch({ status, headers, text }: RawAnswer, request: Refused, kerf: Kerf): string | undefined {
  const problem = parse(text);
  const got = `${status} ${problem.code}`;
  if (got !== request.with) return `${got} instead of ${request.with} (${text.slice(0, 200)})`;
  if (headers['content-type'] !== 'application/problem+json') return `content-type ${headers['content-type']}`;
  if (problem.status !== status) return `the status in the body is ${problem.status}`;
  if (typeof problem.title !== 'string' || typeof problem.type !== 'string') return `no title or type: ${text}`;
  if (status === 422 && problem.code === 'invalid-input' && !hasIssues(problem)) return `no issues: ${text}`;
  if (inside.test(text) || text.includes(kerf.dataDir)) return `it shows the inside: ${text}`;
  if (text.length > 32_768) return `it answers with ${text.length} characters`;
  return undefined;
}

function hasIssues({ issues }: Record<string, unknown>): boolean {
  return (
    Array.isArray(issues) &&
    issues.length > 0 &&
    issues.every(({ path, message }) => typeof path === 'string' && typeof message === 'string')
  );
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
