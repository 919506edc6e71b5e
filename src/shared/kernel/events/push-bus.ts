import type { Bus, Receive, SubscriptionMap } from './bus.ts';
import type { EncodedEvent } from './envelope.ts';

/** Sends events to a module's internal listener. Resolves when the listener accepts them, and rejects otherwise. */
export type Push = (module: string, events: readonly EncodedEvent[]) => Promise<void>;

/** Pushes every event by a call to the process that runs the subscriber, even if it is this process. */
export class PushBus implements Bus {
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

  /** Does nothing: the internal listener passes pushed events to the module itself. */
  async subscribe(_module: string, _receive: Receive): Promise<() => Promise<void>> {
    return async () => {};
  }

  /** Returns 0: this bus keeps no events. An event that no module has taken stays in the outbox. */
  async backlog(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}
}
