import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { StartError } from '../errors/index.ts';

/** Throws a `StartError` unless `path` is a folder that can be written to, or can be made. Makes nothing. */
export function refuseUnusableFolder(path: string, setting: string): void {
  const refuse = (why: string) => {
    throw new StartError(`setting ${setting}: ${why}; set it to a folder that this process may write to`);
  };
  let nearest = resolve(path);
  while (!existsSync(nearest)) nearest = dirname(nearest);
  if (!statSync(nearest).isDirectory()) refuse(`${nearest} is not a folder`);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch {
    refuse(`${nearest} may not be written to`);
  }
}
