export type {
  Adapter,
  Broker,
  CallListener,
  CallListenerDependencies,
  InternalListener,
  InternalListenerDependencies,
  LogExporterPort,
  SpanExporterPort,
  Way,
  Wire,
} from './adapter.ts';
export { addressExample, isPort, maxPort, readAddress, shownAddress, wholeAddress, withoutSecret } from './address.ts';
export {
  answerWithin,
  type BrokerDependencies,
  maxDeliveries,
  maxInFlight,
  type OpenBus,
  patienceMs,
  RetryingReceiver,
  suspectMs,
  suspectTimes,
  whyExhausted,
} from './broker-bus.ts';
export { BrokerReachability } from './broker-reachability.ts';
export {
  type BrokerSession,
  type BrokerWay,
  brokerSilence,
  type Inbound,
  inASecond,
  type OpenSession,
  type Outbound,
  type Replies,
  type RequestSubscription,
  type Requests,
  readJson,
} from './broker-session.ts';
export { hostOf, isBrokerUrl, namespaceOf } from './broker-url.ts';
export { bearer, type CallerTokens } from './caller-tokens.ts';
export { type Discovery, type DnsName, LastAddresses, type Listener } from './discovery.ts';
export { PolledAddresses, type Sighting, type Source } from './polled-addresses.ts';
export { defaultSilence, type Silence } from './silence.ts';
export type { TlsMaterial } from './tls.ts';
export { UnauthenticatedCallers } from './unauthenticated-callers.ts';
export {
  connectWithinMs,
  fromHeaders,
  fromWire,
  headers,
  maximumMessageBytes,
  toHeaders,
  type WireContext,
  wireContext,
} from './wire.ts';
export { type Outgoing, WireTransport } from './wire-transport.ts';
