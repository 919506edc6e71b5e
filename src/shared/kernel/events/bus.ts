import type { EncodedEvent } from './envelope.ts';

/**
 * What a subscribing module does with an event as it came: parsed JSON, or the text when it is none. Resolves once the module
 * has it on disk: its effect, or the note that it is held back. Rejects when neither could be written. With `gaveUp`, the
 * reason why the bus hands it out no more, it is not tried but kept as a dead letter.
 */
export type Receive = (event: unknown, gaveUp?: string) => Promise<void>;

/** Carries events from the outboxes to the modules that subscribe. */
export interface Bus {
  /**
   * To whom an event of this type is addressed, each by a row of its own in the outbox: the modules that subscribe, or a
   * broker, which knows them.
   */
  recipients(type: string): readonly string[];
  /** Resolves once all of them are durably the recipient's, in order per key; rejects to be tried again, all of them. */
  deliver(recipient: string, events: readonly EncodedEvent[]): Promise<void>;
  /**
   * From when it resolves, `receive` gets what is for `module`, as soon as the bus can be reached, and again what it rejected.
   * The way to stop resolves when nothing is in flight.
   */
  subscribe(module: string, receive: Receive): Promise<() => Promise<void>>;
  /** How many events it keeps that `module` has not taken yet. */
  held(module: string): Promise<number>;
  close(): Promise<void>;
}

/** Who subscribes to what, over all modules, whether they run here or not. */
export interface SubscriptionMap {
  readonly modules: readonly string[];
  /** Modules that take events of this type, in any version: one that is new to them is theirs to put aside. */
  recipients(type: string): readonly string[];
  /** The types a module takes, without their versions: `orders.order-placed`. */
  families(module: string): readonly string[];
}

export function subscriptionMap(
  modules: readonly { name: string; subscribesTo: readonly { type: string }[] }[],
): SubscriptionMap {
  const byFamily = new Map<string, string[]>();
  const byModule = new Map<string, string[]>();
  for (const { name, subscribesTo } of modules) {
    const families = [...new Set(subscribesTo.map((event) => familyOf(event.type)))];
    byModule.set(name, families);
    for (const family of families) byFamily.set(family, [...(byFamily.get(family) ?? []), name]);
  }
  return {
    modules: [...byModule.keys()],
    recipients: (type) => byFamily.get(familyOf(type)) ?? [],
    families: (module) => byModule.get(module) ?? [],
  };
}

/** A type without its version. */
export function familyOf(type: string): string {
  return type.replace(/\.v\d+$/, '');
}
