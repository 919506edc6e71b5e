import type { ServerResponse } from 'node:http';
import { toIssues } from '../../contract/index.ts';
import { invalidInput, refusal, toProblem } from '../../errors/index.ts';
import type { InternalService } from './service.ts';
import { fromWire, type WireCall, wireCall } from './wire.ts';

/**
 * Serves the calls of one exchange side by side. Answers that are ready in the same turn of the event loop leave in one
 * write; nobody waits for a slower neighbor.
 */
export function serveExchange(
  service: Pick<InternalService, 'call'>,
  module: string,
  caller: string,
  body: string,
  response: ServerResponse,
): void {
  const lines = body.split('\n').filter((line) => line.length > 0);
  const calls = lines.map(readCall);
  let open = calls.length;
  let ready = '';
  let scheduled = false;

  const flush = () => {
    scheduled = false;
    if (open > 0) response.write(ready);
    ready = '';
  };
  const answer = (id: number, result: object) => {
    ready += `${JSON.stringify({ id, ...result })}\n`;
    open -= 1;
    if (open === 0) finish(response, ready);
    else if (!scheduled) {
      scheduled = true;
      setImmediate(flush);
    }
  };
  if (open === 0) {
    finish(response, '');
    return;
  }
  for (const read of calls) {
    const { id } = read;
    const served =
      'problem' in read
        ? Promise.reject(read.problem)
        : service.call(module, read.call.operation, read.call.input, fromWire(read.call.context, caller));
    served.then(
      (output) => answer(id, { output }),
      (error) => answer(id, { problem: toProblem(error) }),
    );
  }
}

type ReadCall = { id: number; call: WireCall } | { id: number; problem: unknown };

/** A line that is not a call, but says which it would have been, fails alone; any other fails the exchange. */
function readCall(line: string): ReadCall {
  const json = parseJson(line);
  const { success, data: call, error } = wireCall.safeParse(json);
  if (success) return { id: call.id, call };
  const { id } = json as { id?: unknown };
  const problem = invalidInput(toIssues(error));
  if (typeof id !== 'number') throw problem;
  return { id, problem };
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal('malformed-body', 'the body is not well-formed JSON');
  }
}

/** The whole answer in one piece needs no chunks. */
function finish(response: ServerResponse, rest: string): void {
  if (response.headersSent) {
    response.end(rest);
    return;
  }
  response
    .writeHead(200, { 'content-type': 'application/x-ndjson', 'content-length': Buffer.byteLength(rest) })
    .end(rest);
}
