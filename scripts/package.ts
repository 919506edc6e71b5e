import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The fields of a package.json that the commands read. */
export interface Package {
  readonly version: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
  readonly optionalDependencies?: Versions;
  readonly imports?: unknown;
  readonly exports?: unknown;
}
/** Versions by package. */
export type Versions = Readonly<Record<string, string>>;

/** Reads the package.json of a folder. Throws when there is none. */
export function readPackage(folder: string): Package {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Returns the `exports` of the package kerf whose rings are in `folder`: `kerf/module`, `kerf/adapters/kafka`, `kerf/control/host`. */
export function exportsIn(folder: string): Readonly<Record<string, string>> {
  return {
    './*': `${folder}/kernel/*/index.ts`,
    './adapters/*': `${folder}/adapters/*/index.ts`,
    './control/*': `${folder}/control/*/index.ts`,
  };
}
