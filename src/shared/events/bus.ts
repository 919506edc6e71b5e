import type { Envelope } from './envelope.ts';

/** What a subscribing module does with an event: resolves when its effect is on disk, rejects when it is not. */
export type Receive = (envelope: Envelope) => Promise<void>;

/** Carries events from the outboxes to the modules that subscribe. */
export interface Bus {
  /** Who must be handed an event of this type, each by a row of its own in the outbox. */
  recipients(type: string): readonly string[];
  /** Resolves once the event is durably the recipient's; rejects to be tried again. */
  deliver(recipient: string, envelope: Envelope): Promise<void>;
  /** From when it resolves, `receive` gets what is for `module`. The way to stop resolves when nothing is under way. */
  subscribe(module: string, receive: Receive): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** Who subscribes to what, over all modules, whether they run here or not. */
export interface SubscriptionMap {
  /** Modules that take events of this type, in any version: one that is new to them is theirs to refuse. */
  recipients(type: string): readonly string[];
}

export function subscriptionMap(
  modules: readonly { name: string; subscribesTo: readonly { type: string }[] }[],
): SubscriptionMap {
  const byFamily = new Map<string, string[]>();
  for (const { name, subscribesTo } of modules) {
    for (const family of new Set(subscribesTo.map((event) => familyOf(event.type)))) {
      byFamily.set(family, [...(byFamily.get(family) ?? []), name]);
    }
  }
  return { recipients: (type) => byFamily.get(familyOf(type)) ?? [] };
}

function familyOf(type: string): string {
  return type.replace(/\.v\d+$/, '');
}
