import type { EncodedEvent } from './envelope.ts';

/**
 * Takes an event into a subscribing module, as received: parsed JSON, or the text when it is not JSON. Resolves once the module
 * has its effect, or its entry in the retry queue, on disk. Rejects when the module could write neither. `exhausted` is the reason
 * why the bus has exhausted its deliveries: the module then keeps the event as a dead letter and does not try it.
 */
export type Receive = (event: unknown, exhausted?: string) => Promise<void>;

/** Carries events from the outboxes to the modules that subscribe. */
export interface Bus {
  /**
   * Returns the recipients of an event of this type: the subscribing modules, or a broker that knows them. Each recipient
   * gets its own row in the outbox.
   */
  recipients(type: string): readonly string[];
  /** Resolves once the recipient has stored all events durably, in order per key. When it rejects, the caller retries all of them. */
  deliver(recipient: string, events: readonly EncodedEvent[]): Promise<void>;
  /**
   * Passes events for `module` to `receive`, as soon as the bus is reachable, and passes a rejected event again. Resolves with
   * a function that ends the subscription; that function resolves when nothing is in flight.
   */
  subscribe(module: string, receive: Receive): Promise<() => Promise<void>>;
  /** Returns how many events the bus keeps that `module` has not taken yet. */
  backlog(module: string): Promise<number>;
  close(): Promise<void>;
}

/** The subscriptions of all modules, including modules that run in other processes. */
export interface SubscriptionMap {
  readonly modules: readonly string[];
  /** Returns the modules that take events of this type, in any version. A module itself puts aside a version that it does not know. */
  recipients(type: string): readonly string[];
  /** Returns the types that a module takes, without their versions: `orders.order-placed`. */
  families(module: string): readonly string[];
}

/** A module and the events that it receives, as its definition has them. */
interface Subscriber {
  readonly contract: { readonly name: string };
  readonly subscriptions?: readonly { readonly event: { readonly type: string } }[];
}

/** Returns the subscription map of these modules. */
export function subscriptionMap(modules: readonly Subscriber[]): SubscriptionMap {
  const byFamily = new Map<string, string[]>();
  const byModule = new Map<string, string[]>();
  for (const { contract, subscriptions = [] } of modules) {
    const { name } = contract;
    const families = [...new Set(subscriptions.map(({ event }) => familyOf(event.type)))];
    byModule.set(name, families);
    for (const family of families) byFamily.set(family, [...(byFamily.get(family) ?? []), name]);
  }
  return {
    modules: [...byModule.keys()],
    recipients: (type) => byFamily.get(familyOf(type)) ?? [],
    families: (module) => byModule.get(module) ?? [],
  };
}

/** Returns a type without its version. */
export function familyOf(type: string): string {
  return type.replace(/\.v\d+$/, '');
}
