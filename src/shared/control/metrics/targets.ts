import type { PartDependencies } from '../parts/index.ts';

/** A target in the form of Prometheus' `http_sd_configs`. */
export interface Target {
  readonly targets: readonly [string];
  readonly labels: { readonly __scheme__: string; readonly process: string };
}

/**
 * Lists the internal listeners of all known processes, each once: of the home process at the address that the scraper used, of its module
 * processes, and of processes elsewhere whose module is called by HTTP. The listener of others is not known here.
 */
export function targetsOf(
  home: URL,
  { definitions, directory, moduleProcesses }: Pick<PartDependencies, 'definitions' | 'directory' | 'moduleProcesses'>,
): Target[] {
  const modulesAt = new Map<string, Set<string>>();
  for (const { contract } of definitions) {
    for (const address of addressesOf(contract.name)) {
      const { origin } = new URL(address);
      modulesAt.set(origin, (modulesAt.get(origin) ?? new Set()).add(contract.name));
    }
  }
  const others = [...modulesAt].map(([origin, modules]) => target(new URL(origin), [...modules].join(',')));
  return [target(home, 'home'), ...others];

  function addressesOf(module: string): string[] {
    const own = moduleProcesses.of(module);
    if (own.length > 0) return own.flatMap(({ ready }) => ready?.address ?? []);
    const at = directory.routeTo(module);
    const instances = at.state === 'there' ? at.upstream.instances : [];
    return instances.map(({ address }) => address).filter((address) => /^https?:/.test(address));
  }
}

function target({ host, protocol }: URL, process: string): Target {
  return { targets: [host], labels: { __scheme__: protocol.slice(0, -1), process } };
}
