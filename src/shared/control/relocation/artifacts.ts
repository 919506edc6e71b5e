import { realpathSync, statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { refusal } from '../../kernel/errors/index.ts';

/**
 * Refuses a release that an operator may not start: with `conflict` when there is no such file, with `forbidden` when it lies outside
 * all `folders` after symbolic links are resolved. Commas separate the `folders`; the default is the folder of this program.
 */
export function refuseForeignArtifact(
  artifact: string,
  folders: string | undefined,
  program = process.argv[1] ?? '.',
): void {
  if (artifact.includes('\0'))
    throw refusal(
      'conflict',
      `artifact ${JSON.stringify(artifact)} is no path: it has a NUL character; leave that out`,
    );
  if (!statSync(artifact, { throwIfNoEntry: false })?.isFile())
    throw refusal(
      'conflict',
      `artifact ${artifact} is not a file; name the entry file of a release, such as dist/modules/payments/app.js`,
    );
  const real = realpathSync(artifact);
  const allowed = folders?.split(',').map((each) => each.trim()) ?? [dirname(program)];
  if (allowed.some((folder) => folder !== '' && isWithin(real, folder))) return;
  throw refusal(
    'forbidden',
    `artifact ${artifact} is not in a folder that releases are taken from (${allowed.join(', ')}); put it there, or add its folder to ARTIFACTS`,
  );
}

function isWithin(real: string, folder: string): boolean {
  if (!statSync(folder, { throwIfNoEntry: false })) return false;
  const way = relative(realpathSync(resolve(folder)), real);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
}
