import { ofKernel, type PassedBack, type PassedOn } from '../../kernel/calls/index.ts';
import { currentContext } from '../../kernel/context/index.ts';
import { problemResponse, type ServedEndpoint, textOf } from '../../kernel/http-api/index.ts';
import { forwardStream } from './forward-stream.ts';
import { fromPassedBack, kept, type ServeEndpoint } from './passing-on.ts';
import { isStreamed } from './streams.ts';
import type { System } from './system.ts';

const keyHeader = 'idempotency-key';

/** Serves a module's public resources: directly when the module runs in this process, otherwise by forwarding the request. */
export function forwardTo(module: string, system: System): ServeEndpoint {
  const read = system.calls(ofKernel('read', module), 'gateway');
  const write = system.calls(ofKernel('write', module), 'gateway');
  const stream = forwardStream(module, system);
  return async (c, endpoint) => {
    if (isStreamed(endpoint)) return stream(c, endpoint);
    const at = system.directory.routeTo(module);
    // During a detour, other replicas get their share of the requests.
    if (at.state === 'here' && !at.detour) return endpoint.serve(c);
    const { method, headers } = endpoint;
    const request = c.req.raw;
    const { pathname, search } = new URL(request.url);
    const reads = method === 'get';
    const body = reads ? { body: '' } : await bodyOf(request, endpoint).catch(problemResponse);
    if (body instanceof Response) return body;
    const passedOn = {
      // Uses the endpoint's method: a HEAD request is forwarded as a GET.
      method: method.toUpperCase(),
      path: `${pathname}${search}`,
      headers: kept(request.headers),
      ...body,
    };
    const options = {
      timeoutMs: currentContext()!.deadline - Date.now(),
      // When the endpoint declares an idempotency key, the gateway may retry the request, as the client may.
      idempotencyKey: (headers && keyHeader in headers.shape && request.headers.get(keyHeader)) || undefined,
    };
    try {
      const back = await (reads ? read : write)(passedOn, options);
      return fromPassedBack(back as PassedBack);
    } catch (error) {
      return problemResponse(error);
    }
  };
}

/** Reads the whole body, which is limited in size: the other process may refuse it before it has all arrived. */
async function bodyOf(request: Request, { raw }: ServedEndpoint): Promise<Pick<PassedOn, 'body' | 'encoding'>> {
  if (!raw) return { body: await textOf(request) };
  return { body: Buffer.from(await request.arrayBuffer()).toString('base64'), encoding: 'base64' };
}
