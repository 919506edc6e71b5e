import { getRequestListener } from '@hono/node-server';
import { type QueueServer, type Serve, serveQueue, type TlsMaterial } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import { addressOf, listen, Shutdown, shownHost } from '../../kernel/http-api/index.ts';
import type { ServiceTokens } from '../../kernel/identity/index.ts';
import type { ModuleDefinition, OpenModule } from '../../kernel/module/index.ts';
import type { Adapters } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import type { AdminRoutes } from '../admin-api/index.ts';
import { brokerOf, listensAt, type Topology, transportOf } from '../topology/index.ts';

export interface ListenersDependencies {
  readonly adapters: Adapters;
  readonly topology: Topology;
  readonly definitions: readonly ModuleDefinition[];
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly serve: Serve;
  readonly operations: AdminRoutes;
  readonly tokens: ServiceTokens;
  readonly tls: TlsMaterial;
  readonly log: Log;
}

/** Where other processes come in, by one transport. */
interface ModuleListener {
  /** Where a module is called by it. */
  readonly address: string;
  /** Fetches calls from now on: a door that others come to by themselves does not. */
  fetch?(): Promise<void>;
  /** Asks everybody to make their next calls elsewhere; serves those in flight. */
  leave(): void | Promise<void>;
  close(): Promise<void>;
}

export interface Listeners {
  /** Where the internal listener is. */
  readonly address: string;
  /** Where the module is called that this process was told to run alone, by the transport of its placement. */
  readonly reachedAt: string;
  /** Takes the calls that a broker has for a module of this process. */
  fetchCalls(): Promise<void>;
  /** Takes none of those any more; resolves when those it has taken are served. */
  fetchNoCalls(): Promise<void>;
  leave(): void;
  /** Serves what is in flight, and closes. */
  close(): Promise<void>;
}

const closeWithinMs = 1_000;

/**
 * Opens the internal listener, and a door for each other transport that a module of this process is reached by. What a broker has
 * is left there until it is to be fetched.
 */
export async function openListeners(parts: ListenersDependencies): Promise<Listeners> {
  const { topology, open } = parts;
  const http = await openHttp(parts);
  const placed = (transport: string) =>
    [...open.keys()].filter((name) => transportOf(topology.placements.get(name)!) === transport);
  const byGrpc = placed('grpc');
  const listeners: ModuleListener[] = [
    http,
    ...(byGrpc.length > 0 ? [await grpcDoor(parts, byGrpc)] : []),
    ...placed('queue').map((module) => queueDoor(parts, module)),
  ];
  const fetching = listeners.filter((door) => door.fetch);
  let left: Promise<unknown> | undefined;
  const leave = () => {
    left ??= Promise.all(listeners.map((door) => door.leave()));
    return left;
  };
  return {
    address: http.address,
    reachedAt: listeners.at(-1)!.address,
    fetchCalls: async () => void (await Promise.all(fetching.map((door) => door.fetch?.()))),
    async fetchNoCalls() {
      await Promise.all(fetching.map((door) => door.leave()));
      await Promise.all(fetching.map((door) => door.close()));
    },
    leave: () => void leave(),
    async close() {
      await Promise.race([
        leave(),
        new Promise<void>((resolve) => background.setTimeout(resolve, closeWithinMs).unref()),
      ]);
      await Promise.all(listeners.map((door) => door.close()));
    },
  };
}

async function openHttp({
  topology,
  adapters,
  operations,
  serve,
  tokens,
  tls,
  log,
}: ListenersDependencies): Promise<ModuleListener> {
  const listener = getRequestListener(operations.fetch);
  const operate = async (...exchange: Parameters<typeof listener>) => void (await listener(...exchange));
  const { server, leave } = adapters.find(
    'openInternalListener',
    'every process',
  )({
    ...{ serve, operate, tokens, tls, log },
    slowReaderMs: topology.settings.SLOW_READER_TIMEOUT_MS,
  });
  const { host, port, setting } = listensAt(topology, 'INTERNAL_PORT');
  const shutdown = new Shutdown(server);
  await listen(server, host, port, setting);
  return {
    address: addressOf(server),
    leave() {
      leave();
      shutdown.announce();
    },
    close: () => shutdown.close(closeWithinMs),
  };
}

async function grpcDoor(
  { topology, adapters, definitions, ...parts }: ListenersDependencies,
  modules: readonly string[],
): Promise<ModuleListener> {
  const contracts = definitions.map(({ contract }) => contract).filter(({ name }) => modules.includes(name));
  const server = await adapters.find(
    'openCallListener',
    modules.join(', '),
  )({
    ...parts,
    modules: contracts,
    guardReflection: process.env.NODE_ENV === 'production',
    slowReaderMs: topology.settings.SLOW_READER_TIMEOUT_MS,
  });
  const { host, port, setting } = listensAt(topology, 'GRPC_PORT');
  const bound = await server.listen(host, port, setting);
  const protocol = parts.tls.cert ? 'grpcs' : 'grpc';
  return {
    address: `${protocol}://${shownHost(host)}:${bound}`,
    leave: () => server.leave(),
    close: () => server.close(),
  };
}

function queueDoor({ topology, adapters, ...parts }: ListenersDependencies, module: string): ModuleListener {
  const url = brokerOf(topology.placements.get(module)!, topology);
  let server: Promise<QueueServer> | undefined;
  return {
    address: url,
    async fetch() {
      server ??= serveQueue({ ...parts, openSession: adapters.sessionOf(url), url, module });
      await server;
    },
    leave: async () => (await server)?.leave(),
    async close() {
      const last = server;
      server = undefined;
      await (await last)?.close();
    },
  };
}
