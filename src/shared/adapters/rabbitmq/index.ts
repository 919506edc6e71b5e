export { rabbitmq } from './adapter.ts';
