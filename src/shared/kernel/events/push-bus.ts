import type { Bus, Receive, SubscriptionMap } from './bus.ts';
import type { EncodedEvent } from './envelope.ts';

/** Hands events to a module's internal listener; resolves on their acceptance, rejects otherwise. */
export type Push = (module: string, events: readonly EncodedEvent[]) => Promise<void>;

/** Pushes every event to the process that runs the subscriber, be it this one, by a call. */
export class HttpBus implements Bus {
  private readonly subscriptions: SubscriptionMap;
  private readonly push: Push;

  constructor(subscriptions: SubscriptionMap, push: Push) {
    this.subscriptions = subscriptions;
    this.push = push;
  }

  recipients(type: string): readonly string[] {
    return this.subscriptions.recipients(type);
  }

  deliver(recipient: string, events: readonly EncodedEvent[]): Promise<void> {
    return this.push(recipient, events);
  }

  /** Nothing to do: the internal listener hands what is pushed to the module itself. */
  async subscribe(_module: string, _receive: Receive): Promise<() => Promise<void>> {
    return async () => {};
  }

  /** It keeps nothing: what is not taken stays in the outbox. */
  async held(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}
}
