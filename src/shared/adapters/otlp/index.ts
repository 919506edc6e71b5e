export { otlp } from './adapter.ts';
