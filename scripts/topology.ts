// kerf topology: shows where the modules of the running system run.
import { type ModuleState, topologyAnswer } from '../src/shared/control/admin-contract/index.ts';
import type { Define } from './cli/command.ts';
import { ask, printColumns, type ResultOptions, reaches, tell } from './operator.ts';

export const define: Define = (command) =>
  command.description('Shows where each module of the running system runs.').json().note(reaches).action(show);

async function show(options: ResultOptions): Promise<void> {
  tell(options, await ask(topologyAnswer, 'GET', '/ops/topology'), ({ bus, modules }) => {
    console.log(`events: ${bus}`);
    printColumns(modules.map(row));
  });
}

function row({ name, placement, state, why, instances }: ModuleState): string[] {
  // The placement of a separately started module is its address, or its list of addresses.
  const isSaid = placement === instances.map(({ address }) => address).join();
  const at = [...(isSaid ? [] : [placement]), ...instances.map(where)].join(', ');
  return [name, state, why ? `${at}: ${why}` : at];
}

function where({ pid, address, calledAt, unresponsive }: ModuleState['instances'][number]): string {
  const parts = [address ?? 'home process', pid && `(process ${pid})`, calledAt && `called at ${calledAt}`];
  if (unresponsive) parts.push('[unresponsive]');
  return parts.filter(Boolean).join(' ');
}
