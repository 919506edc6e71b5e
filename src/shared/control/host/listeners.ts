import { getRequestListener } from '@hono/node-server';
import type { Serve } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import type { ModuleDefinition, OpenModule } from '../../kernel/module/index.ts';
import type { CallerTokens, TlsMaterial, Wire } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { type Adapters, wireName } from '../adapter-list/index.ts';
import type { AdminRoutes } from '../admin-api/index.ts';
import { addressOf, listen, Shutdown, shownHost } from '../http-server/index.ts';
import { type QueueServer, serveQueue } from '../queue/index.ts';
import { brokerOf, listensAt, type Topology, transportOf } from '../topology/index.ts';

export interface ListenersDependencies {
  readonly adapters: Adapters;
  readonly topology: Topology;
  readonly definitions: readonly ModuleDefinition[];
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly serve: Serve;
  readonly adminRoutes: AdminRoutes;
  readonly tokens: CallerTokens;
  readonly tls: TlsMaterial;
  readonly log: Log;
}

/** Takes the calls of other processes, by one transport. */
interface ModuleListener {
  /** The address at which callers reach a module by this transport. */
  readonly address: string;
  /** Starts to fetch calls from a broker. Absent when callers connect by themselves. */
  fetch?(): Promise<void>;
  /** Asks all callers to make their next calls elsewhere; serves the calls in flight. */
  leave(): void | Promise<void>;
  close(): Promise<void>;
}

export interface Listeners {
  /** The address of the internal listener. */
  readonly address: string;
  /** The address at which callers reach the module that this process runs alone, by the transport of its placement. */
  readonly reachedAt: string;
  /** Starts to take calls from a broker for the modules of this process. */
  fetchCalls(): Promise<void>;
  /** Takes no more calls from a broker; resolves when all calls taken so far are served. */
  fetchNoCalls(): Promise<void>;
  leave(): void;
  /** Serves the calls in flight, and closes. */
  close(): Promise<void>;
}

const closeWithinMs = 1_000;

/**
 * Opens the internal listener, and a listener for each other transport by which callers reach a module of this process. Calls in a
 * broker stay there until `fetchCalls`.
 */
export async function openListeners(parts: ListenersDependencies): Promise<Listeners> {
  const { topology, adapters, open } = parts;
  const placed = (transport: string) =>
    [...open.keys()].filter((name) => transportOf(topology.placements.get(name)!, adapters) === transport);
  const internal = await openInternal(parts);
  const listeners = [internal];
  for (const wire of adapters.wires) {
    const modules = placed(wireName(wire));
    if (wire.listener && modules.length > 0) listeners.push(await wireListener(parts, wire, wire.listener, modules));
  }
  listeners.push(...placed('queue').map((module) => queueListener(parts, module)));
  const fetching = listeners.filter((listener) => listener.fetch);
  let left: Promise<unknown> | undefined;
  const leave = () => {
    left ??= Promise.all(listeners.map((listener) => listener.leave()));
    return left;
  };
  return {
    address: internal.address,
    reachedAt: listeners.at(-1)!.address,
    fetchCalls: async () => void (await Promise.all(fetching.map((listener) => listener.fetch?.()))),
    async fetchNoCalls() {
      await Promise.all(fetching.map((listener) => listener.leave()));
      await Promise.all(fetching.map((listener) => listener.close()));
    },
    leave: () => void leave(),
    async close() {
      await Promise.race([
        leave(),
        new Promise<void>((resolve) => background.setTimeout(resolve, closeWithinMs).unref()),
      ]);
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}

async function openInternal({
  topology,
  adapters,
  adminRoutes,
  serve,
  tokens,
  tls,
  log,
}: ListenersDependencies): Promise<ModuleListener> {
  const listener = getRequestListener(adminRoutes.fetch);
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

async function wireListener(
  { topology, definitions, ...parts }: ListenersDependencies,
  { protocols: [plain, secure] }: Wire,
  { setting, open }: NonNullable<Wire['listener']>,
  modules: readonly string[],
): Promise<ModuleListener> {
  const server = await open({
    ...parts,
    modules: definitions.map(({ contract }) => contract).filter(({ name }) => modules.includes(name)),
    guardReflection: process.env.NODE_ENV === 'production',
    slowReaderMs: topology.settings.SLOW_READER_TIMEOUT_MS,
  });
  const { host, port, setting: source } = listensAt(topology, setting);
  const bound = await server.listen(host, port, source);
  return {
    address: `${parts.tls.cert ? secure : plain}//${shownHost(host)}:${bound}`,
    leave: () => server.leave(),
    close: () => server.close(),
  };
}

function queueListener({ topology, adapters, ...parts }: ListenersDependencies, module: string): ModuleListener {
  const url = brokerOf(topology.placements.get(module)!, topology);
  let server: Promise<QueueServer> | undefined;
  return {
    address: url,
    async fetch() {
      server ??= serveQueue({ ...parts, openSession: adapters.sessionOpenerFor(url), url, module });
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
