export { run, runAlone } from './product.ts';
