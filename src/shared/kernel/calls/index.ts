export {
  addressExample,
  isPort,
  maxPort,
  readAddress,
  shownAddress,
  wholeAddress,
  withoutSecret,
} from './address/address.ts';
export { type BrokerParameters, isBrokerUrl, namespaceOf } from './address/broker-url.ts';
export { type CallCounter, type ServedCounter, timeOneOf } from './call-counter.ts';
export { CallStatistics } from './call-statistics.ts';
export { bearer, type CallerTokens } from './caller-tokens.ts';
export { type Call, type CallSource, callSourceOf, createCall, createClient } from './client.ts';
export { composeSteps, type StepOf } from './compose.ts';
export { byDeadline, cancelledBefore, type Ending, saidLate } from './deadlines.ts';
export {
  type Discovery,
  type DnsName,
  LastAddresses,
  type Listener,
  LiveAddresses,
  staticAddresses,
} from './discovery/discovery.ts';
export { PolledAddresses, type Sighting, type Source } from './discovery/polled-addresses.ts';
export { asOwnCallerSees, InProcessTransport } from './in-process.ts';
export {
  kernel,
  kernelOperation,
  ofKernel,
  type PassedBack,
  type PassedOn,
  type ShownDatabase,
} from './kernel-operations.ts';
export {
  type BrokerSession,
  type BrokerWay,
  type Inbound,
  inASecond,
  type OpenSession,
  type Outbound,
  type Replies,
  type RequestSubscription,
  type Requests,
  readJson,
} from './queue/broker-session.ts';
export { QueueTransport } from './queue/client.ts';
export { Pulse } from './queue/pulse.ts';
export { Reachability } from './queue/reachability.ts';
export { type QueueServer, serveQueue } from './queue/server.ts';
export { Admission } from './resilience/admission.ts';
export { isNotSent } from './resilience/delivery-status.ts';
export { type PoliciesConfig, policiesFor, policiesSchema, refuseUnknownPolicies } from './resilience/policies.ts';
export { mayRetry } from './resilience/retrying.ts';
export { type RoadHooks, road } from './road.ts';
export { type Detour, Directory, type Route } from './routing/directory.ts';
export { Probe } from './routing/probe.ts';
export { Upstream } from './routing/upstream.ts';
export { defaultSilence, type Silence } from './silence.ts';
export { withKey } from './steps/with-key.ts';
export type { TlsMaterial } from './tls.ts';
export type {
  CallRequest,
  Dispatch,
  Link,
  Next,
  RoadStep,
  Serve,
  ServedCall,
  ServeStep,
  Transport,
  Way,
} from './transport.ts';
export { UnauthenticatedCallers } from './unauthenticated-callers.ts';
export { ForeignAnswer, unreachableBecause } from './unreachable.ts';
export {
  connectWithinMs,
  fromHeaders,
  fromWire,
  headers,
  maximumBodyBytes,
  maximumMessageBytes,
  toHeaders,
  type WireContext,
  wireContext,
} from './wire.ts';
export { type Outgoing, WireTransport } from './wire-transport.ts';
