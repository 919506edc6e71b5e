export { run } from './product.ts';
export { runAlone } from './run.ts';
