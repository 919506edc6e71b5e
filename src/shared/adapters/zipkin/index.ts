export { zipkin } from './adapter.ts';
