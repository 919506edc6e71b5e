import { steadyClock } from '../clock/index.ts';
import { StartError } from '../errors/index.ts';
import {
  type Discovery,
  dnsAddresses,
  fileAddresses,
  LiveAddresses,
  type Placement,
  staticAddresses,
  type Topology,
} from '../topology/index.ts';
import type { Connections } from './connections.ts';
import type { Doors } from './doors.ts';

/**
 * Says of each module that does not run here how it is found. A service finds through the home process what it knows no address
 * of: those are returned, since the home process may tell it where they are, and does when they move.
 */
export function placeTheOthers(
  { placements, only, homeAddress }: Topology,
  { directory, log }: Connections,
  { address, reachedAt }: Doors,
  names: readonly string[],
): ReadonlyMap<string, LiveAddresses> {
  const throughHome = new Map<string, LiveAddresses>();
  for (const name of names) {
    const placement = placements.get(name)!;
    if (directory.of(name).state === 'here') continue;
    if (placement.kind === 'addresses' && placement.addresses.some((each) => each === address || each === reachedAt)) {
      throw new StartError(
        `the placement of ${name}, ${placement.addresses}, is this process itself; write in-process, or the address of another`,
      );
    }
    const discovery = discoveryOf(name, placement, log);
    if (discovery) directory.there(name, discovery);
    if (discovery || !only) continue;
    const home = new LiveAddresses();
    home.set([homeAddress]);
    throughHome.set(name, home);
    directory.there(name, home);
  }
  return throughHome;
}

/** Of what is found without this process's doing. */
function discoveryOf(module: string, placement: Placement, log: Connections['log']): Discovery | undefined {
  switch (placement.kind) {
    case 'addresses':
      return staticAddresses(placement.addresses);
    case 'file':
      return fileAddresses({ file: placement.file, clock: steadyClock, log });
    case 'name':
      return about(module, () => dnsAddresses({ ...placement.dns, server: placement.server, clock: steadyClock, log }));
    case 'broker': {
      const { url } = placement;
      return { watch: (listener) => listener([url]), dead() {}, stop() {} };
    }
    case 'in-process':
    case 'service':
      return undefined;
  }
}

/** What is wrong with a placement is said with whose it is. */
function about(module: string, open: () => Discovery): Discovery {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new StartError(`the placement of ${module}: ${error.message}`, { cause: error });
  }
}
