import { getRequestListener } from '@hono/node-server';
import type { ServiceTokens } from '../identity/index.ts';
import type { ModuleDefinition, OpenModule } from '../module/index.ts';
import type { Log } from '../observability/index.ts';
import { brokerOf, listensAt, type Topology, transportOf } from '../topology/index.ts';
import { createInternalServer, openGrpc, openQueue, type Serve, type TlsParts } from '../transport/index.ts';
import type { Operations } from './everywhere.ts';
import { addressOf, listen, shownHost, shut } from './listen.ts';

export interface DoorParts {
  readonly topology: Topology;
  readonly definitions: readonly ModuleDefinition[];
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly serve: Serve;
  readonly operations: Operations;
  readonly tokens: ServiceTokens;
  readonly tls: TlsParts;
  readonly log: Log;
}

/** Where other processes come in, by one transport. */
interface Door {
  /** Where a module is called by it. */
  readonly address: string;
  /** Asks everybody to make their next calls elsewhere; serves those under way. */
  leave(): void | Promise<void>;
  close(): Promise<void>;
}

export interface Doors {
  /** Where the internal listener is. */
  readonly address: string;
  /** Where the module is called that this process was told to run alone, by the transport of its placement. */
  readonly reachedAt: string;
  leave(): void;
  /** Serves what is under way, and closes. */
  close(): Promise<void>;
}

const closeWithinMs = 1_000;

/** Opens the internal listener, and a door for each other transport that a module of this process is reached by. */
export async function openDoors(parts: DoorParts): Promise<Doors> {
  const { topology, open } = parts;
  const http = await openHttp(parts);
  const placed = (transport: string) =>
    [...open.keys()].filter((name) => transportOf(topology.placements.get(name)!) === transport);
  const byGrpc = placed('grpc');
  const doors = [
    http,
    ...(byGrpc.length > 0 ? [await grpcDoor(parts, byGrpc)] : []),
    ...(await Promise.all(placed('queue').map((module) => queueDoor(parts, module)))),
  ];
  let left: Promise<unknown> | undefined;
  const leave = () => {
    left ??= Promise.all(doors.map((door) => door.leave()));
    return left;
  };
  return {
    address: http.address,
    reachedAt: doors.at(-1)!.address,
    leave: () => void leave(),
    async close() {
      await Promise.race([leave(), new Promise((resolve) => setTimeout(resolve, closeWithinMs).unref())]);
      await Promise.all(doors.map((door) => door.close()));
    },
  };
}

async function openHttp({ topology, operations, serve, tokens, tls, log }: DoorParts): Promise<Door> {
  const listener = getRequestListener(operations.fetch);
  const operate = async (...exchange: Parameters<typeof listener>) => void (await listener(...exchange));
  const { server, leave } = createInternalServer({ serve, operate, tokens, tls, log });
  const { host, port, setting } = listensAt(topology, 'INTERNAL_PORT');
  await listen(server, host, port, setting);
  return { address: addressOf(server), leave, close: () => shut(server, closeWithinMs) };
}

async function grpcDoor({ topology, definitions, ...parts }: DoorParts, modules: readonly string[]): Promise<Door> {
  const contracts = definitions.map(({ contract }) => contract).filter(({ name }) => modules.includes(name));
  const server = await openGrpc({ ...parts, modules: contracts });
  const { host, port, setting } = listensAt(topology, 'GRPC_PORT');
  const bound = await server.listen(host, port, setting);
  const protocol = parts.tls.cert ? 'grpcs' : 'grpc';
  return {
    address: `${protocol}://${shownHost(host)}:${bound}`,
    leave: () => server.leave(),
    close: () => server.close(),
  };
}

async function queueDoor({ topology, ...parts }: DoorParts, module: string): Promise<Door> {
  const url = brokerOf(topology.placements.get(module)!, topology);
  const server = await openQueue({ ...parts, url, module });
  return { address: url, leave: () => server.leave(), close: () => server.close() };
}
