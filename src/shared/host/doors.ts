import { getRequestListener } from '@hono/node-server';
import type { ServiceTokens } from '../identity/index.ts';
import type { ModuleDefinition, OpenModule } from '../module/index.ts';
import type { Log } from '../observability/index.ts';
import { type Placement, type Topology, transportOf } from '../topology/index.ts';
import { createInternalServer, openGrpc, openQueue, type Serve, type TlsParts } from '../transport/index.ts';
import type { Operations } from './everywhere.ts';
import { addressOf, listen, shut } from './listen.ts';

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
  return {
    address: http.address,
    reachedAt: doors.at(-1)!.address,
    leave: () => void Promise.all(doors.map((door) => door.leave())),
    async close() {
      await Promise.all(doors.map((door) => door.leave()));
      await Promise.all(doors.map((door) => door.close()));
    },
  };
}

async function openHttp({ topology, operations, serve, tokens, tls, log }: DoorParts): Promise<Door> {
  const listener = getRequestListener(operations.fetch);
  const operate = async (...exchange: Parameters<typeof listener>) => void (await listener(...exchange));
  const { server, leave } = createInternalServer({ serve, operate, tokens, tls, log });
  const { host, port, setting } = internalAddress(topology);
  await listen(server, host, port, setting);
  return { address: addressOf(server), leave, close: () => shut(server, closeWithinMs) };
}

async function grpcDoor({ topology, definitions, ...parts }: DoorParts, modules: readonly string[]): Promise<Door> {
  const contracts = definitions.map(({ contract }) => contract).filter(({ name }) => modules.includes(name));
  const server = await openGrpc({ ...parts, modules: contracts });
  const { host, port, setting } = grpcAddress(topology);
  const bound = await server.listen(host, port, setting);
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  const protocol = parts.tls.cert ? 'grpcs' : 'grpc';
  return { address: `${protocol}://${shown}:${bound}`, leave: () => server.leave(), close: () => server.close() };
}

async function queueDoor({ topology, ...parts }: DoorParts, module: string): Promise<Door> {
  const url = brokerOf(topology.placements.get(module)!, topology);
  const server = await openQueue({ ...parts, url, module });
  return { address: url, leave: () => server.leave(), close: () => server.close() };
}

/** The broker over which a module is called. */
export function brokerOf(placement: Placement, { settings }: Topology): string {
  return placement.kind === 'broker' ? placement.url : settings.BUS;
}

interface Bound {
  readonly host: string;
  readonly port: number;
  /** What says so. */
  readonly setting: string;
}

/** A module run alone listens where the topology says others find it; any other process where its settings say. */
function internalAddress(topology: Topology): Bound {
  const { INTERNAL_HOST: host, INTERNAL_PORT: port } = topology.settings;
  const placed = process.env.INTERNAL_PORT === undefined ? placedAt(topology) : undefined;
  if (placed?.setting && placed.transport === 'http') return placed;
  // One that is reached another way leaves the usual port to the home process.
  const apart = placed !== undefined && process.env.INTERNAL_PORT === undefined;
  return { host, port: apart ? 0 : port, setting: 'INTERNAL_PORT' };
}

function grpcAddress(topology: Topology): Bound {
  const { INTERNAL_HOST: host, GRPC_PORT: port } = topology.settings;
  const placed = process.env.GRPC_PORT === undefined ? placedAt(topology) : undefined;
  return placed?.setting && placed.transport === 'grpc' ? placed : { host, port, setting: 'GRPC_PORT' };
}

/** The one address at which others look for the only module of this process; without a setting, where there is none. */
function placedAt({ placements, only }: Topology): (Bound & { transport: string }) | undefined {
  const [name, ...others] = only ?? [];
  if (name === undefined || others.length > 0) return undefined;
  const placement = placements.get(name)!;
  const transport = transportOf(placement);
  const [address, ...more] = placement.kind === 'addresses' ? placement.addresses : [];
  if (address === undefined || more.length > 0)
    return transport === 'http' ? undefined : { host: '', port: 0, setting: '', transport };
  const { hostname, port, protocol } = new URL(address);
  const usual = protocol === 'https:' ? 443 : 80;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || usual),
    setting: `the placement of ${name}`,
    transport,
  };
}
