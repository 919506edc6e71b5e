import type { Contract } from '../contract/index.ts';
import type { ServiceTokens } from '../identity/index.ts';
import type { Log } from '../observability/index.ts';
import type { QueueServer } from './queue/index.ts';
import type { TlsParts } from './tls.ts';
import type { Serve } from './transport.ts';

export type { QueueServer };

interface Serving {
  readonly serve: Serve;
  readonly tokens: ServiceTokens;
  readonly log: Log;
}

interface ServingGrpc extends Serving {
  readonly tls: TlsParts;
  readonly modules: readonly Contract[];
  /** How long a peer may take nothing of an answer, in milliseconds. */
  readonly slowReaderMs?: number;
  /** Whether reflection answers only a caller with a service token. */
  readonly guardReflection?: boolean;
}

/** A gRPC listener for the modules of these contracts, with reflection and health. Loads what it needs. */
export async function openGrpc(parts: ServingGrpc) {
  const { createGrpcServer } = await import('./grpc/index.ts');
  return createGrpcServer(parts);
}

/** Takes a module's calls from a broker. Loads what it needs. */
export async function openQueue(parts: Serving & { readonly url: string; readonly module: string }) {
  const { serveQueue } = await import('./queue/index.ts');
  return serveQueue(parts);
}
