export type { ModuleDescription } from './command-line.ts';
export { type EmbeddedProduct, embed } from './embed.ts';
export { run, runAlone } from './product.ts';
