import type { ServerResponse } from 'node:http';
import type { Context } from '@opentelemetry/api';

/** A public request that has ended. */
export interface EndedRequest {
  readonly method: string;
  /** The path of its resource, such as `/products/{sku}`. Absent when no resource served it. */
  readonly route: string | undefined;
  /** Absent when the client disconnected before the end of the answer. */
  readonly status: number | undefined;
  readonly ms: number;
  readonly trace: Context | undefined;
}

const routes = new WeakMap<ServerResponse, string>();

/** Notes which resource serves the request of this response. */
export function noteRoute(outgoing: ServerResponse | undefined, route: string): void {
  if (outgoing) routes.set(outgoing, route);
}

/** Calls `ended` once, when the answer is sent or the client has gone. */
export function whenEnded(
  outgoing: ServerResponse | undefined,
  { method, trace }: Pick<EndedRequest, 'method' | 'trace'>,
  ended: (request: EndedRequest) => void,
): void {
  const startedAt = performance.now();
  outgoing?.once('close', () => {
    const status = outgoing.writableFinished ? outgoing.statusCode : undefined;
    ended({ method, route: routes.get(outgoing), status, ms: performance.now() - startedAt, trace });
  });
}
