import type { ModuleState } from '../admin-contract/index.ts';
import { describe } from './admin-routes.ts';
import type { Host } from './host.ts';
import { warningsOf } from './warnings.ts';

/** Prints the addresses and where each module runs, and logs the warnings. */
export async function announce(host: Host, gateway: string | undefined, json: boolean): Promise<void> {
  // A module process has the same settings as the home process, which already logs these warnings.
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

/** Returns one line for each module: where it runs, how many instances, and the placement unless the addresses already show it. */
export function announced(modules: readonly ModuleState[], isHere: (module: string) => boolean): string[] {
  const width = Math.max(...modules.map(({ name }) => name.length));
  return modules.map((module) => {
    const { name, placement, state, instances } = module;
    const where = isHere(name) ? 'in this process' : route(module);
    const isSaid = placement === 'in-process' || placement === instances.map(({ address }) => address).join();
    const parts = [name.padEnd(width), where, state === 'ready' ? '' : `[${state}]`, isSaid ? '' : placement];
    return `  ${parts.filter((part) => part !== '').join('  ')}`;
  });
}

function route({ instances }: ModuleState): string {
  const each = instances.map(
    ({ address, pid, calledAt }) => `${calledAt ?? address ?? 'nowhere yet'}${pid === null ? '' : ` (process ${pid})`}`,
  );
  return each.length > 1 ? `${each.length} instances: ${each.join(', ')}` : (each[0] ?? 'nowhere yet');
}
