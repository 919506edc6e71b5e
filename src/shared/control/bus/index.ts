export { recordBus } from './bus-record.ts';
export { openBus } from './open-bus.ts';
