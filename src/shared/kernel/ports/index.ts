export type {
  Adapter,
  CallListener,
  CallListenerDependencies,
  InternalListener,
  InternalListenerDependencies,
} from './adapter.ts';
export { Adapters } from './adapters.ts';
