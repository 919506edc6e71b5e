import type { Adapter } from '../../kernel/ports/index.ts';
import { fileAddresses } from './file.ts';

/** Discovers instances from a file of addresses, and follows changes of the file. */
export const file = (): Adapter => ({
  name: 'file',
  findInFile: (path, dependencies) => fileAddresses({ file: path, ...dependencies }),
});
