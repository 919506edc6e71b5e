import { type Placement, transportOf } from './placement.ts';
import type { Topology } from './topology.ts';

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** The source of host and port, for error messages. */
  readonly setting: string;
}

/**
 * Returns where this process listens. A module run alone listens at its address in the topology, unless the environment sets the
 * port. Any other process listens where the settings say.
 */
export function listensAt(
  { settings, placements, only, saidByEnvironment }: Topology,
  setting: 'INTERNAL_PORT' | 'GRPC_PORT',
): Listening {
  const said = { host: settings.INTERNAL_HOST, port: settings[setting], setting };
  const [alone, ...others] = only ?? [];
  if (saidByEnvironment(setting) || alone === undefined || others.length > 0) return said;
  const placement = placements.get(alone)!;
  // A module with another transport leaves the default port to the home process.
  if (transportOf(placement) !== (setting === 'GRPC_PORT' ? 'grpc' : 'http')) return { ...said, port: 0 };
  return onlyAddressOf(placement, alone) ?? said;
}

/** Returns the URL of the broker over which callers reach a module. */
export function brokerOf(placement: Placement, { settings }: Topology): string {
  return placement.kind === 'broker' ? placement.url : settings.BUS;
}

function onlyAddressOf(placement: Placement, module: string): Listening | undefined {
  const [address, ...more] = placement.kind === 'addresses' ? placement.addresses : [];
  if (address === undefined || more.length > 0) return undefined;
  const { hostname, port, protocol } = new URL(address);
  const usual = protocol === 'https:' ? 443 : 80;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || usual), setting: `the placement of ${module}` };
}
