import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isRefusal, type Refusal, refusal, toProblem } from '../../errors/index.ts';
import { bearer, type ServiceTokens } from '../../identity/index.ts';
import type { Log } from '../../observability/index.ts';
import { parseJson, serveExchange } from './exchange-server.ts';
import type { InternalService } from './service.ts';
import { contextOf, maximumBodyBytes } from './wire.ts';

const fallbackMs = 5_000;
/** A call of the largest size, and others gathered with it. */
const maximumExchangeBytes = 2 * maximumBodyBytes;

/** The listener for the other processes; never the public one. */
export function createInternalServer(service: InternalService, tokens: ServiceTokens, log: Log): Server {
  const server = createServer((request, response) => {
    serve(service, tokens, request, response).catch((error) => {
      if (!isRefusal(error)) log.error({ error, path: request.url }, 'an internal request failed');
      refuse(response, error);
    });
  });
  server.keepAliveTimeout = 65_000;
  server.requestTimeout = 60_000;
  return server;
}

async function serve(
  service: InternalService,
  tokens: ServiceTokens,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const url = request.url ?? '/';
  const [, area = '', module = '', operation = ''] = url.split('/', 4);
  if (area !== 'modules' && area !== 'events' && area !== 'routes') return service.operate(request, response);
  const caller = await tokens.verify(bearer(request.headers.authorization), module);
  const context = contextOf(request.headers, caller, fallbackMs);
  if (area === 'routes')
    return service.route(module, url.slice(`/routes/${module}`.length), context, request, response);
  if (request.method !== 'POST') throw refusal('method-not-allowed');
  if (area === 'modules' && !operation)
    return serveExchange(service, module, caller, await readBody(request), response);
  const body = parseJson(await readBody(request));
  if (area === 'events') {
    await service.receive(module, Array.isArray(body) ? body : [body], context);
    response.writeHead(204).end();
    return;
  }
  const output = JSON.stringify(await service.call(module, operation, body, context));
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(output) })
    .end(output);
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maximumExchangeBytes) chunks.push(chunk);
    });
    request.on('error', reject);
    request.on('end', () => {
      if (bytes > maximumExchangeBytes) reject(refusal('body-too-large', `at most ${maximumExchangeBytes} bytes`));
      else resolve((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8'));
    });
  });
}

function refuse(response: ServerResponse, error: Refusal | unknown): void {
  if (response.headersSent) return void response.destroy();
  const problem = JSON.stringify(toProblem(error));
  const status = toProblem(error).status;
  response
    .writeHead(status, { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(problem) })
    .end(problem);
}
