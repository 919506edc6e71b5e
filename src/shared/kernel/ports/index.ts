export type {
  Adapter,
  Broker,
  CallListener,
  CallListenerDependencies,
  InternalListener,
  InternalListenerDependencies,
  Wire,
} from './adapter.ts';
export { Adapters, wireName } from './adapters.ts';
