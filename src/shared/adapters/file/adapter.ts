import type { Adapter } from '../../kernel/ports/index.ts';
import { fileAddresses } from './file.ts';

/** Finds instances in a file of addresses, which may change while it is watched. */
export const file = (): Adapter => ({
  name: 'file',
  findInFile: (path, dependencies) => fileAddresses({ file: path, ...dependencies }),
});
