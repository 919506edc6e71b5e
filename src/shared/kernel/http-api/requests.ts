import type { Context, HonoRequest } from 'hono';
import { currentContext, type Principal } from '../context/index.ts';
import { type Preconditions, parseInput } from '../contract/index.ts';
import { refusal } from '../errors/index.ts';
import { readJson } from './body.ts';
import type { Details, Endpoint, Request } from './endpoint.ts';
import { fromQuery, fromText } from './lists.ts';
import { preconditionsOf } from './preconditions.ts';

const never = new AbortController().signal;
const noPreconditions: Preconditions = {};

/** Reads what the endpoint declares. Throws a refusal for invalid input, and for a principal that the endpoint does not serve. */
export async function requestOf<E extends Details>(c: Context, endpoint: Endpoint): Promise<Request<E>> {
  const { req } = c;
  const { params, query, headers } = endpoint;
  const context = currentContext();
  admit(endpoint, context);
  return {
    params:
      params &&
      parseInput(
        params,
        fromText(params, (name) => req.param(name)),
      ),
    query: query && parseInput(query, fromQuery(query, req.queries())),
    headers:
      headers &&
      parseInput(
        headers,
        fromText(headers, (name) => req.header(name)),
      ),
    body: await bodyOf(c.req, endpoint),
    preconditions: endpoint.etag ? preconditionsOf((name) => req.header(name)) : noPreconditions,
    member: context?.member ?? '',
    get: (name: string) => c.get(name),
    get signal() {
      return context?.cancellation?.signal ?? never;
    },
  } as Request<E>;
}

/** Throws `unauthenticated` or `forbidden` when the endpoint does not serve this principal. */
function admit({ member: needsMember, roles: accepted }: Endpoint, { member, roles = [] }: Principal = {}): void {
  if (!needsMember && !accepted) return;
  if (!member && roles.length === 0) throw refusal('unauthenticated', 'sign in and send the token');
  if (needsMember && !member) throw refusal('forbidden', 'this is for members who have signed in, not for API keys');
  if (accepted && !accepted.some((role) => roles.includes(role)))
    throw refusal('forbidden', `this needs the role ${accepted.join(' or ')}`);
}

/** Reads through Hono's wrapper: a middleware may have read the body before. */
async function bodyOf(request: HonoRequest, { body, raw, upload }: Details): Promise<unknown> {
  if (upload) return request.raw.body ?? new Blob([]).stream();
  if (raw) return new Uint8Array(await request.arrayBuffer());
  const { headers } = request.raw;
  return body && parseInput(body, await readJson({ headers, arrayBuffer: () => request.arrayBuffer() }));
}
