// Runs programs with the Node.js of the project.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { node, root } from './setup.mjs';

export const app = join(root, 'dist', 'app.js');

/** Returns the program of an installed package. */
export function tool(...path: string[]): string {
  return join(root, 'node_modules', ...path);
}

/** Runs a program in the folder of the project, with the terminal of this command. Returns its exit code. */
export function run(...words: string[]): number {
  return spawnSync(node(), words, { cwd: root, stdio: 'inherit' }).status ?? 1;
}
