export { Adapters, wireName } from './adapters.ts';
