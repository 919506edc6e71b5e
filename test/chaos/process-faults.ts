import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Environment variable that names the folder with the current faults, for the processes of a chaos run. */
export const folderVariable = 'CHAOS_FOLDER';

/** The current faults of a process. A missing field means no fault. */
export interface ProcessFaults {
  /** Error of the process's clock, in milliseconds. */
  readonly clockByMs?: number;
  /** Time that each commit blocks the process, in milliseconds. */
  readonly stallMs?: number;
  /** Fault of event handlers: they never return, or return late. */
  readonly handlers?: 'hang' | 'slow';
  /** The next `times` handled events kill their process. The count under `id` continues after a restart. */
  readonly fatal?: { readonly id: string; readonly times: number };
}

/** Faults by process: a module's name, or `home`. Faults of handlers follow the module into any process. */
export type FaultsByProcess = Readonly<Record<string, ProcessFaults>>;

/** Replaces the faults of all processes. Each process notices within a tenth of a second. */
export function writeProcessFaults(folder: string, processFaults: FaultsByProcess): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'faults.new'), JSON.stringify(processFaults));
  renameSync(join(folder, 'faults.new'), join(folder, 'faults.json'));
}

export function readProcessFaults(folder: string): FaultsByProcess {
  return JSON.parse(readFileSync(join(folder, 'faults.json'), 'utf8'));
}
