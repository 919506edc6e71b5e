import { isUtf8 } from 'node:buffer';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { maximumBodyBytes, ofKernel } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import { headersOf, isRefusal, refusal, toProblem } from '../../kernel/errors/index.ts';
import {
  answerInOrder,
  ByteBuffer,
  surviveAcceptErrors,
  UnsentAnswers,
  whyAmbiguous,
} from '../../kernel/http-listener/index.ts';
import type { InternalListener, InternalListenerDependencies } from '../../kernel/ports/index.ts';
import { bearer, fromHeaders, fromWire, UnauthenticatedCallers } from '../../kernel/ports/index.ts';
import { parseJson, ServedExchange } from './exchange-server.ts';

const bodyWithinMs = 30_000;
/** Limit for admin requests. They carry no module data, so the limit is small. */
const maximumOperatorBytes = 1024 * 1024;
/** Time in which a refused caller must stop sending. After it, the server closes the connection. */
const lingerMs = 500;
const aliveAfterMs = 15_000;

/** TCP keepalive: the operating system detects a peer that has disappeared. */
const alive = { keepAlive: true, keepAliveInitialDelay: aliveAfterMs };

interface State {
  readonly strangers: UnauthenticatedCallers;
  readonly exchanges: Set<ServedExchange>;
  readonly unsent: UnsentAnswers;
  leaving: boolean;
}

export function createInternalServer(parts: InternalListenerDependencies): InternalListener {
  const unsent = new UnsentAnswers({ stalledMs: parts.slowReaderMs });
  const strangers = new UnauthenticatedCallers(parts.log);
  const state: State = { strangers, exchanges: new Set(), unsent, leaving: false };
  parts.tokens.onChange(() => {
    for (const exchange of state.exchanges) exchange.keysChanged();
  });
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    serveRequest(parts, state, request, response).catch((error) => {
      if (!isRefusal(error)) parts.log.error({ error, path: request.url }, 'an internal request failed');
      const [, , module] = (request.url ?? '').split('/', 3);
      strangers.note(error, { module, from: request.socket.remoteAddress });
      refuse(request, response, error);
    });
  };
  const { cert, key, ca, mutual } = parts.tls ?? {};
  const server = cert
    ? createTlsServer({ cert, key, ca, requestCert: mutual, rejectUnauthorized: mutual, ...alive })
    : createPlainServer(alive);
  answerInOrder(server, answer, unsent);
  surviveAcceptErrors(server, parts.log);
  server.keepAliveTimeout = 65_000;
  // An exchange is a long-running request. All other requests have their own time limits.
  server.requestTimeout = 0;
  return {
    server,
    leave() {
      state.leaving = true;
      for (const exchange of state.exchanges) exchange.leave();
    },
  };
}

async function serveRequest(
  { serve, operate, tokens, log }: InternalListenerDependencies,
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const ambiguous = whyAmbiguous(request);
  if (ambiguous) throw refusal('malformed-request', ambiguous);
  const [, area = '', module = '', operation = ''] = (request.url ?? '/').split('/', 4);
  if (area !== 'modules' && area !== 'events') {
    // Senders of spans compress while they send, so they cannot say a length. The route limits the body.
    if (request.url !== '/v1/traces') limitOperator(request);
    endLate(request);
    return operate(request, response);
  }
  const { caller, until } = await tokens.verifyUntil(bearer(request.headers.authorization), module);
  if (request.method !== 'POST') throw refusal('method-not-allowed');
  if (area === 'modules' && !operation) {
    const exchange = new ServedExchange(
      { ...{ serve, tokens, log, module, caller, until }, strangers: state.strangers, unsent: state.unsent },
      request,
      response,
    );
    state.exchanges.add(exchange);
    response.once('close', () => state.exchanges.delete(exchange));
    if (state.leaving) exchange.leave();
    return;
  }
  const text = await readBody(request);
  const body = text === '' && area === 'modules' ? undefined : parseJson(text);
  const context = await fromWire(fromHeaders(headerOf(request)), caller, tokens);
  if (response.destroyed) return;
  response.once('close', () => response.writableFinished || context.cancellation?.cancel());
  if (area === 'events') {
    const events = (Array.isArray(body) ? body : [body]).map((event) => JSON.stringify(event));
    await serve(module, ofKernel('receive', module).name, { events }, context);
    response.writeHead(204).end();
    return;
  }
  const output = await serve(module, operation, body, context);
  if (output === undefined) return void response.writeHead(204).end();
  const answer = JSON.stringify(output);
  if (Buffer.byteLength(answer) > maximumBodyBytes) {
    throw refusal('body-too-large', `the answer is over ${maximumBodyBytes} bytes`);
  }
  send(response, 200, { 'content-type': 'application/json', 'cache-control': 'no-store' }, answer);
}

/** Throws `body-too-large` when the declared size is over the limit or missing. */
function limitOperator(request: IncomingMessage): void {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (Number(length) > maximumOperatorBytes || encoding !== undefined)
    throw refusal('body-too-large', `send at most ${maximumOperatorBytes} bytes, and say how many (content-length)`);
}

/** Ends a request that takes too long to arrive. */
function endLate(request: IncomingMessage): void {
  const late = background.setTimeout(() => request.complete || request.destroy(), bodyWithinMs).unref();
  request.once('close', () => clearTimeout(late));
}

function headerOf({ headers }: IncomingMessage): (name: string) => string | undefined {
  return (name) => {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  };
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const gathered = new ByteBuffer();
    let bytes = 0;
    const late = background
      .setTimeout(() => {
        reject(refusal('timeout', `the body did not arrive within ${bodyWithinMs / 1_000} s`));
        request.destroy();
      }, bodyWithinMs)
      .unref();
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maximumBodyBytes) gathered.add(chunk);
    });
    request.on('error', reject);
    request.on('close', () => clearTimeout(late));
    request.on('end', () => {
      const body = gathered.take();
      if (bytes > maximumBodyBytes) reject(refusal('body-too-large', `at most ${maximumBodyBytes} bytes`));
      else if (!isUtf8(body)) reject(refusal('malformed-body', 'the body must be UTF-8'));
      else resolve(body.toString('utf8'));
    });
  });
}

/** Answers with a problem. When the request is still incomplete, discards the rest and closes the connection. */
function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const problem = toProblem(error);
  if (!request.complete) {
    response.shouldKeepAlive = false;
    const last = background.setTimeout(() => request.socket.destroy(), lingerMs).unref();
    request.once('close', () => clearTimeout(last));
    request.resume();
  }
  send(response, problem.status, headersOf(problem), JSON.stringify(problem));
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, text: string): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
}
