/** A module as the operators' page describes it. */
export interface Row {
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
export function announced(modules: readonly Row[], isHere: (module: string) => boolean): string[] {
  const width = Math.max(...modules.map(({ name }) => name.length));
  return modules.map((module) => {
    const { name, placement, state, instances } = module;
    const where = isHere(name) ? 'in this process' : whereabouts(module);
    const isSaid = placement === 'in-process' || placement === instances.map(({ address }) => address).join();
    const parts = [name.padEnd(width), where, state === 'ready' ? '' : `[${state}]`, isSaid ? '' : placement];
    return `  ${parts.filter((part) => part !== '').join('  ')}`;
  });
}

function whereabouts({ instances }: Row): string {
  const each = instances.map(
    ({ address, pid, calledAt }) => `${calledAt ?? address ?? 'nowhere yet'}${pid === null ? '' : ` (process ${pid})`}`,
  );
  return each.length > 1 ? `${each.length} instances: ${each.join(', ')}` : (each[0] ?? 'nowhere yet');
}
