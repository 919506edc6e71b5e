export type {
  Adapter,
  Broker,
  CallListener,
  CallListenerDependencies,
  InternalListener,
  InternalListenerDependencies,
} from './adapter.ts';
export { Adapters } from './adapters.ts';
