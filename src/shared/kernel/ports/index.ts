export type {
  Adapter,
  Broker,
  CallListener,
  CallListenerDependencies,
  InternalListener,
  InternalListenerDependencies,
  SpanExporterPort,
  Wire,
} from './adapter.ts';
export { Adapters, wireName } from './adapters.ts';
