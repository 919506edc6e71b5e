import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Environment variable that names the folder with the current faults, for the processes of a chaos run. */
export const folderVariable = 'CHAOS_FOLDER';

/** The current faults of a process. A missing field means no fault. */
export interface Ills {
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
export type IllsByTarget = Readonly<Record<string, Ills>>;

/** Replaces the faults of all processes. Each process notices within a tenth of a second. */
export function writeIlls(folder: string, ills: IllsByTarget): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ills.new'), JSON.stringify(ills));
  renameSync(join(folder, 'ills.new'), join(folder, 'ills.json'));
}

export function readIlls(folder: string): IllsByTarget {
  return JSON.parse(readFileSync(join(folder, 'ills.json'), 'utf8'));
}
