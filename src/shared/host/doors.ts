import type { Log } from '../observability/index.ts';
import { getRequestListener } from '@hono/node-server';
import type { ModuleDefinition, OpenModule } from '../module/index.ts';
import type { Topology } from '../topology/index.ts';
import { createInternalServer, type Serve, type TlsParts } from '../transport/index.ts';
import type { ServiceTokens } from '../identity/index.ts';
import type { Operations } from './everywhere.ts';
import { addressOf, listen, shut } from './listen.ts';

interface Parts {
  readonly topology: Topology;
  readonly definitions: readonly ModuleDefinition[];
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly serve: Serve;
  readonly operations: Operations;
  readonly tokens: ServiceTokens;
  readonly tls: TlsParts;
  readonly log: Log;
}

/** Where other processes come in, by every transport that the modules of this one are reached by. */
export interface Doors {
  /** Where the internal listener is. */
  readonly address: string;
  /** Where the module is called that this process was told to run alone, by the transport of its placement. */
  readonly reachedAt: string;
  /** Asks everybody to make their next calls elsewhere. */
  leave(): void;
  /** Serves what is under way, and closes. */
  close(): Promise<void>;
}

const closeWithinMs = 1_000;

export async function openDoors(parts: Parts): Promise<Doors> {
  const { topology, operations, serve, tokens, tls, log } = parts;
  const listener = getRequestListener(operations.fetch);
  const operate = async (...exchange: Parameters<typeof listener>) => void (await listener(...exchange));
  const http = createInternalServer({ serve, operate, tokens, tls, log });
  const { host, port, setting } = internalAddress(topology);
  await listen(http.server, host, port, setting);
  const address = addressOf(http.server);
  return {
    address,
    reachedAt: address,
    leave: () => http.leave(),
    async close() {
      http.leave();
      await shut(http.server, closeWithinMs);
    },
  };
}

/** A module run alone listens where the topology says others find it; any other process where its settings say. */
function internalAddress({ settings, placements, only }: Topology): { host: string; port: number; setting: string } {
  const placement = only?.length === 1 ? placements.get(only[0]!) : undefined;
  const { INTERNAL_HOST: host, INTERNAL_PORT } = settings;
  if (!placement || process.env.INTERNAL_PORT !== undefined) return { host, port: INTERNAL_PORT, setting: 'INTERNAL_PORT' };
  const [address, ...more] = placement.kind === 'addresses' ? placement.addresses : [];
  if (address?.startsWith('http') && more.length === 0) {
    const { hostname, port, protocol } = new URL(address);
    const usual = protocol === 'https:' ? 443 : 80;
    return { host: hostname, port: Number(port || usual), setting: `the placement of ${only![0]}` };
  }
  return { host, port: INTERNAL_PORT, setting: 'INTERNAL_PORT' };
}
