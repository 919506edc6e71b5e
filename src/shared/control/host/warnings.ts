import type { TlsMaterial } from '../../kernel/ports/index.ts';
import { listensAt, type Placement, placementText, portSettingOf, type Topology } from '../topology/index.ts';
import { whyNotValid } from './tls-files.ts';

/** Returns one line for each problem that does not prevent the start, for the person who starts this process. */
export function warningsOf(
  { topology, tls }: { readonly topology: Topology; readonly tls: TlsMaterial },
  now: Date,
): string[] {
  const elsewhere = (topology.only ?? []).map((module) => whyNotFound(module, topology));
  return [whyNotValid(tls, now), ...elsewhere].filter((warning) => warning !== undefined);
}

/** Returns why other processes cannot find a module run alone: it may listen at another address than the topology says. */
function whyNotFound(module: string, topology: Topology) {
  const placement = topology.placements.get(module)!;
  if (placement.kind === 'service')
    return `${module} is placed ${placementText(placement)}: the home process starts a process for it and calls that one, not this one; place it at an address, such as http://127.0.0.1:4105, to run it yourself`;
  const wanted = portsOf(placement);
  const setting = portSettingOf(placement, topology.adapters) ?? 'INTERNAL_PORT';
  const { port } = listensAt(topology, setting);
  if (wanted.length === 0 || wanted.includes(port)) return undefined;
  const here = port === 0 ? 'a free port' : `port ${port}`;
  return `${module} listens on ${here}, and the others look for it at ${placementText(placement)}: set ${setting} to ${wanted.join(' or ')}, unless something between them leads here`;
}

function portsOf(placement: Placement): number[] {
  if (placement.kind === 'addresses') return placement.addresses.map((address) => Number(/\d+$/.exec(address)));
  return placement.kind === 'name' && placement.dns.kind === 'a' ? [placement.dns.port] : [];
}
