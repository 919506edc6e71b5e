import type { Context } from 'hono';
import { currentContext } from '../context/index.ts';
import { type Preconditions, parseInput } from '../contract/index.ts';
import { refusal } from '../errors/index.ts';
import { readJson } from './body.ts';
import { fromQuery, fromText } from './lists.ts';
import { preconditionsOf } from './preconditions.ts';
import type { Details, Endpoint, Request } from './resources.ts';

const noPreconditions: Preconditions = {};

/** Reads what the endpoint declares. Throws a refusal for invalid input, and for a member who is not signed in. */
export async function requestOf<E extends Details>({ req }: Context, endpoint: Endpoint): Promise<Request<E>> {
  const { params, query, headers } = endpoint;
  const member = currentContext()?.member ?? '';
  if (endpoint.member && !member) throw refusal('unauthenticated', 'sign in and send the token');
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
    body: await bodyOf(req.raw, endpoint),
    preconditions: endpoint.etag ? preconditionsOf((name) => req.header(name)) : noPreconditions,
    member,
  } as Request<E>;
}

async function bodyOf(request: globalThis.Request, { body, raw }: Details): Promise<unknown> {
  if (raw) return new Uint8Array(await request.arrayBuffer());
  return body && parseInput(body, await readJson(request));
}
