import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the commands read of a package.json. */
export interface Package {
  readonly version: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
  readonly optionalDependencies?: Versions;
  readonly imports?: unknown;
  readonly exports?: unknown;
}
/** Packages with their versions. */
export type Versions = Readonly<Record<string, string>>;

/** Reads the package.json of a folder. Throws when there is none. */
export function readPackage(folder: string): Package {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
