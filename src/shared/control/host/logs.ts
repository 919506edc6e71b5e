import { parseInput } from '../../kernel/contract/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import { logLevelsSchema } from '../admin-contract/index.ts';
import { Logs, openDestination, readLevels } from '../logs/index.ts';
import type { SharedState } from '../supervisor/index.ts';
import type { Topology } from '../topology/index.ts';
import { secretsOf } from './secrets.ts';

/** Opens the logs of this process as the settings say. Hides the secrets in the settings from every line. */
export function openLogs(topology: Topology, definitions: readonly ModuleDefinition[]): Logs {
  const { LOG_LEVEL, LOG_FILE, LOG_FORMAT } = topology.settings;
  const destination = openDestination({ file: LOG_FILE, format: LOG_FORMAT }, (dropped) =>
    logs.of(processName(topology)).warn({ dropped }, 'log lines were dropped: their destination was slow or full'),
  );
  // The setting was checked when it was read.
  const logs = new Logs(readLevels(LOG_LEVEL)!, destination);
  logs.hide(...secretsOf(topology, definitions));
  return logs;
}

/** The name in lines that belong to no module: `home`, or the modules of a module process. */
export function processName({ only }: Pick<Topology, 'only'>): string {
  return only?.join(',') ?? 'home';
}

/** The name of the log levels among the states that the home process shares with its module processes. */
export const logLevelsPart = 'log-levels';

/** The levels of the logs as a state that module processes take over from the home process. */
export function sharedLevels(logs: Logs): SharedState {
  return { current: () => logs.levels, set: (given) => logs.setLevels(parseInput(logLevelsSchema, given)) };
}
