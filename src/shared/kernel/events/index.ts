export {
  type BrokerDependencies,
  Insistence,
  maxDeliveries,
  maxInFlight,
  patienceMs,
  pause,
  Reachability,
  suspectMs,
  suspectTimes,
  whyExhausted,
  within,
} from './broker.ts';
export { type Bus, familyOf, type Receive, type SubscriptionMap, subscriptionMap } from './bus.ts';
export { countOpen, countPublished, countWaiting, lastPublished } from './counts.ts';
export { type DeadLetter, DeadLetters } from './dead-letters.ts';
export { asItCame, type EncodedEvent, encodeAgain, encodeEvent, envelopeSchema } from './envelope.ts';
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
