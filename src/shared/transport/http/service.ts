import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallContext } from '../../context/index.ts';

/** What the internal listener serves. Each refuses a caller that did not declare its need. */
export interface InternalService {
  call(module: string, operation: string, input: unknown, context: CallContext): Promise<unknown>;
  /** Events for a module. Resolves when it has them all; otherwise none of them may be forgotten. */
  receive(module: string, events: readonly unknown[], context: CallContext): Promise<void>;
  /** A request for a module's public resources, that came through the gateway of another process. */
  route(
    module: string,
    path: string,
    context: CallContext,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void>;
  /** Everything that is for operators: `/ops/…`, `/metrics`. */
  operate(request: IncomingMessage, response: ServerResponse): Promise<void>;
}
