import { type Placement, transportOf } from './placement.ts';
import type { Topology } from './topology.ts';

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** What says so, for who must be told that it will not do. */
  readonly setting: string;
}

/** A module run alone listens where the topology says others find it, unless a setting says otherwise; any other process there. */
export function listensAt(
  { settings, placements, only, saidByEnvironment }: Topology,
  setting: 'INTERNAL_PORT' | 'GRPC_PORT',
): Listening {
  const said = { host: settings.INTERNAL_HOST, port: settings[setting], setting };
  const [alone, ...others] = only ?? [];
  if (saidByEnvironment(setting) || alone === undefined || others.length > 0) return said;
  const placement = placements.get(alone)!;
  // One that is reached another way leaves the usual port to the home process.
  if (transportOf(placement) !== (setting === 'GRPC_PORT' ? 'grpc' : 'http')) return { ...said, port: 0 };
  return onlyAddressOf(placement, alone) ?? said;
}

/** The broker over which a module is called. */
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
