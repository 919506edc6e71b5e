export { nats } from './adapter.ts';
