export { type Backlog, readBacklog } from './backlog.ts';
export {
  answerWithin,
  type BrokerDependencies,
  maxDeliveries,
  maxInFlight,
  patienceMs,
  RetryingReceiver,
  suspectMs,
  suspectTimes,
  whyExhausted,
} from './broker-bus.ts';
export { type Bus, familyOf, type Receive, type SubscriptionMap, subscriptionMap } from './bus.ts';
export { countOpen, countPublished, countWaiting, lastPublished, oldestOpen } from './counts.ts';
export { type DeadLetter, DeadLetters } from './dead-letters.ts';
export { type EncodedEvent, encodeAgain, encodeEvent, envelopeSchema, parseEvent } from './envelope.ts';
export { InOrder } from './in-order.ts';
export { Inbox } from './inbox.ts';
export { type OpenBus, openBus } from './open-bus.ts';
export { Outbox } from './outbox.ts';
export { createPush } from './push.ts';
export { readdress } from './readdress.ts';
export { Relay } from './relay.ts';
export { removeExpired } from './retention.ts';
export type { Subscription } from './subscribed.ts';
export { eventMigrations } from './tables.ts';
