import { existsSync, lstatSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { messageOf, StartError } from '../../kernel/errors/index.ts';

/**
 * Throws a `StartError` unless `path` is a writable folder or can be created. Tests this by creating a folder of another name, which it
 * removes again: some file systems, such as `/proc`, claim to be writable but accept nothing.
 */
export function refuseUnusableFolder(path: string, setting: string): void {
  const refuse = (why: string, cause?: unknown) => {
    throw new StartError(`setting ${setting}: ${why}; set it to a folder that this process may write to`, { cause });
  };
  let nearest = resolve(path);
  while (!existsSync(nearest) && nearest !== dirname(nearest)) {
    if (isLink(nearest)) refuse(`${nearest} is a link to nowhere`);
    nearest = dirname(nearest);
  }
  if (!statSync(nearest, { throwIfNoEntry: false })?.isDirectory()) refuse(`${nearest} is not a folder`);
  try {
    rmdirSync(mkdtempSync(join(nearest, '.kerf-')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isForbidden = ['EACCES', 'EPERM', 'EROFS'].includes(code ?? '');
    refuse(
      isForbidden ? `${nearest} may not be written to` : `${nearest} takes no folder (${messageOf(error)})`,
      error,
    );
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}
