import { describe } from './admin-routes.ts';
import type { Host } from './host.ts';
import { warningsOf } from './warnings.ts';

/** Says where to look, what runs where, and what will not go well. */
export async function announce(host: Host, gateway: string | undefined, json: boolean): Promise<void> {
  // A service that the home process started has the same settings as that, and nobody who reads what it says.
  if (!process.send) for (const warning of warningsOf(host, new Date())) host.log.warn(warning);
  const { bus, modules } = describe(host, await host.away());
  if (json) {
    console.log(JSON.stringify({ public: gateway ?? null, internal: host.address, bus, modules }));
    return;
  }
  const lines = announced(modules, (name) => host.open.has(name));
  const listeners = gateway
    ? [`Kerf is ready: ${gateway}`, `  API reference  ${gateway}/docs`, `  internal       ${host.address}`]
    : [`Kerf is ready: ${host.topology.only?.join(', ')} at ${host.address}`];
  console.log(
    [...listeners, `  data           ${host.topology.settings.DATA_DIR}`, `  events         ${bus}`, '', ...lines].join(
      '\n',
    ),
  );
}

/** A module as the operators' page describes it. */
export interface AnnouncedModule {
  readonly name: string;
  readonly placement: string;
  readonly state: string;
  readonly instances: readonly {
    readonly pid: number | null;
    readonly address: string | null;
    readonly calledAt?: string;
  }[];
}

/** What runs where, a line each: how many there are of several, and the placement where the addresses do not say it already. */
export function announced(modules: readonly AnnouncedModule[], isHere: (module: string) => boolean): string[] {
  const width = Math.max(...modules.map(({ name }) => name.length));
  return modules.map((module) => {
    const { name, placement, state, instances } = module;
    const where = isHere(name) ? 'in this process' : whereabouts(module);
    const isSaid = placement === 'in-process' || placement === instances.map(({ address }) => address).join();
    const parts = [name.padEnd(width), where, state === 'ready' ? '' : `[${state}]`, isSaid ? '' : placement];
    return `  ${parts.filter((part) => part !== '').join('  ')}`;
  });
}

function whereabouts({ instances }: AnnouncedModule): string {
  const each = instances.map(
    ({ address, pid, calledAt }) => `${calledAt ?? address ?? 'nowhere yet'}${pid === null ? '' : ` (process ${pid})`}`,
  );
  return each.length > 1 ? `${each.length} instances: ${each.join(', ')}` : (each[0] ?? 'nowhere yet');
}
