import { type Adapters, wireName } from '../adapter-list/index.ts';
import { type Placement, type ServicePlacement, transportOf } from './placement.ts';
import type { Topology } from './topology.ts';

const internalPort = 'INTERNAL_PORT';

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** The source of host and port, for error messages. */
  readonly setting: string;
}

/**
 * Returns where this process listens. A module run alone listens at its address in the topology, unless the environment sets the
 * port. Any other process listens where the settings say. `setting` is the setting for the port.
 */
export function listensAt(topology: Topology, setting: string): Listening {
  const { settings, ports, placements, only, saidByEnvironment } = topology;
  const port = setting === internalPort ? settings.INTERNAL_PORT : (ports[setting] ?? 0);
  const said = { host: settings.INTERNAL_HOST, port, setting };
  const [alone, ...others] = only ?? [];
  if (saidByEnvironment(setting) || alone === undefined || others.length > 0) return said;
  const placement = placements.get(alone)!;
  // A module with another transport leaves the default port to the home process.
  if (portSettingOf(placement, topology.adapters) !== setting) return { ...said, port: 0 };
  return onlyAddressOf(placement, alone) ?? said;
}

/** Returns the setting for the port at which callers reach a module; `undefined` for a module behind a queue. */
export function portSettingOf(placement: Placement, adapters: Adapters): string | undefined {
  const transport = transportOf(placement, adapters);
  if (transport === 'queue') return undefined;
  return adapters.wires.find((wire) => wireName(wire) === transport)?.listener?.setting ?? internalPort;
}

/** Returns the ports of a module process as settings. The listener that callers reach has the port of the placement, if that says one. */
export function portsFor(placement: ServicePlacement, adapters: Adapters): Record<string, string> {
  const own = portSettingOf(placement, adapters);
  const settings = [internalPort, ...adapters.wires.flatMap(({ listener }) => listener?.setting ?? [])];
  return Object.fromEntries(settings.map((each) => [each, String(each === own ? (placement.port ?? 0) : 0)]));
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
