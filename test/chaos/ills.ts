import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names the folder in which a process that takes part in a chaos run finds what it is to suffer. */
export const folderVariable = 'CHAOS_FOLDER';

/** What a process is to suffer now. A field that is missing means that all is well. */
export interface Ills {
  /** How far the process's clock is off, in milliseconds. */
  readonly clockByMs?: number;
  /** How long each commit holds the process up, in milliseconds. */
  readonly stallMs?: number;
  /** What event handlers do: never return, or return late. */
  readonly handlers?: 'hang' | 'slow';
  /** The next events that are handled kill their process: `times` of them, counted over all its lives under `id`. */
  readonly fatal?: { readonly id: string; readonly times: number };
}

/** By process: a module's name, or `home`. The ills of handlers follow the module into whichever process it runs in. */
export type IllsByTarget = Readonly<Record<string, Ills>>;

/** Replaces the ills of all processes; each notices within a tenth of a second. */
export function writeIlls(folder: string, ills: IllsByTarget): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ills.new'), JSON.stringify(ills));
  renameSync(join(folder, 'ills.new'), join(folder, 'ills.json'));
}

export function readIlls(folder: string): IllsByTarget {
  return JSON.parse(readFileSync(join(folder, 'ills.json'), 'utf8'));
}
