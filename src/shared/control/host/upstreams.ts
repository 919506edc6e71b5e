import { steadyClock } from '../../kernel/context/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import type { Discovery } from '../../kernel/ports/index.ts';
import { LiveAddresses, staticAddresses } from '../routing/index.ts';
import type { Placement, Topology } from '../topology/index.ts';
import type { Connections } from './connections.ts';
import type { Listeners } from './listeners.ts';

/**
 * Sets the route to each module that does not run here. A module process calls a module without a known address through the home
 * process. Returns these modules: the home process may send their addresses, and sends them when the modules move.
 */
export function resolveUpstreams(
  { placements, only, homeAddress }: Topology,
  { directory, log, adapters }: Connections,
  { address, reachedAt }: Listeners,
  names: readonly string[],
): ReadonlyMap<string, LiveAddresses> {
  const throughHome = new Map<string, LiveAddresses>();
  for (const name of names) {
    const placement = placements.get(name)!;
    if (directory.routeTo(name).state === 'here') continue;
    if (placement.kind === 'addresses' && placement.addresses.some((each) => each === address || each === reachedAt)) {
      throw new StartError(
        `the placement of ${name}, ${placement.addresses}, is this process itself; write in-process, or the address of another`,
      );
    }
    const discovery = discoveryOf(name, placement, { log, adapters });
    if (discovery) directory.there(name, discovery);
    if (discovery || !only) continue;
    const home = new LiveAddresses();
    home.set([homeAddress]);
    throughHome.set(name, home);
    directory.there(name, home);
  }
  return throughHome;
}

/** Returns the discovery of a module that the home process neither runs nor starts; `undefined` for any other. */
export function discoveryOf(
  module: string,
  placement: Placement,
  { log, adapters }: Pick<Connections, 'log' | 'adapters'>,
): Discovery | undefined {
  const user = `the placement of ${module}`;
  const dependencies = { clock: steadyClock, log };
  switch (placement.kind) {
    case 'addresses':
      return staticAddresses(placement.addresses);
    case 'file':
      return adapters.find('findInFile', user)(placement.file, dependencies);
    case 'name': {
      const findByName = adapters.find('findByName', user);
      return about(module, () => findByName(placement.dns, placement.server, dependencies));
    }
    case 'broker': {
      const { url } = placement;
      return { watch: (listener) => listener([url]), dead() {}, stop() {} };
    }
    case 'in-process':
    case 'service':
      return undefined;
  }
}

/** Adds the name of the module to an error in its placement. */
function about(module: string, open: () => Discovery): Discovery {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new StartError(`the placement of ${module}: ${error.message}`, { cause: error });
  }
}
