export { type Bus, type SubscriptionMap, subscriptionMap } from './bus.ts';
export { type Envelope, envelopeSchema } from './envelope.ts';
export { HttpBus, type Push } from './http.ts';
export { Inbox, type Subscription } from './inbox.ts';
export { MittBus } from './mitt.ts';
export { countOpen, deadLetters, Outbox } from './outbox.ts';
export { Relay } from './relay.ts';
export { removeExpired } from './retention.ts';
export { eventMigrations, eventTables } from './tables.ts';
