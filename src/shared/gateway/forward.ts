import type { IncomingHttpHeaders } from 'node:http';
import type { Hono } from 'hono';
import { currentContext } from '../context/index.ts';
import { refusal } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { problemResponse } from '../routes/index.ts';
import { contextHeaders, unreachableBecause } from '../transport/index.ts';

/** Headers that belong to one connection, or that only the gateway may set. */
const dropped = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'host',
  'expect',
  'te',
  'trailer',
  'authorization',
  // The context's: as the gateway read them, or not at all.
  'x-request-id',
  'traceparent',
  'tracestate',
]);

/** Serves a module's public resources where the module runs: by a call here, by passing the request on elsewhere. */
export function forwardTo(module: string, routes: Hono, host: Host): (request: Request) => Promise<Response> {
  return async (request) => {
    const at = host.directory.of(module);
    if (at.state === 'here') return routes.fetch(request);
    if (at.state === 'away') return problemResponse(refusal('unavailable', `${module} cannot be reached`));
    try {
      return await passOn(request, module, at.address, host);
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') return problemResponse(refusal('timeout'));
      return problemResponse(unreachableBecause(module, error));
    }
  };
}

async function passOn(request: Request, module: string, address: string, host: Host): Promise<Response> {
  const context = currentContext()!;
  const { pathname, search } = new URL(request.url);
  const token = await host.tokens.issue('gateway', module);
  const headers = Object.fromEntries(
    [...request.headers].filter(([name]) => !dropped.has(name) && !name.startsWith('kerf-')),
  );
  const answer = await host.peers.at(address).request({
    method: request.method as 'GET',
    path: `/routes/${module}${pathname}${search}`,
    headers: { ...headers, ...contextHeaders(context), authorization: `Bearer ${token}` },
    // Read whole, which the limit on its size allows: the other side may refuse it before it has all arrived.
    body: request.method === 'GET' ? null : Buffer.from(await request.arrayBuffer()),
    signal: AbortSignal.timeout(Math.max(1, context.deadline - Date.now())),
  });
  // Read whole before any of it is passed on: an answer that breaks off is no answer.
  const body = await answer.body.arrayBuffer();
  return new Response(answer.statusCode === 204 ? null : body, {
    status: answer.statusCode,
    headers: kept(answer.headers),
  });
}

function kept(headers: IncomingHttpHeaders): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (!dropped.has(name) && value !== undefined) result.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return result;
}
