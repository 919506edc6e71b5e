export type { ModuleDescription } from './command-line.ts';
export { run, runAlone } from './product.ts';
