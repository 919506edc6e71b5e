import type { Bus, Receive, SubscriptionMap } from './bus.ts';
import type { Envelope } from './envelope.ts';

/** Hands an event to a module's internal listener; resolves on its acceptance, rejects otherwise. */
export type Push = (module: string, envelope: Envelope) => Promise<void>;

/** Pushes every event over HTTP to the process that runs the subscriber, be it this one. */
export class HttpBus implements Bus {
  constructor(
    private readonly subscriptions: SubscriptionMap,
    private readonly push: Push,
  ) {}

  recipients(type: string): readonly string[] {
    return this.subscriptions.recipients(type);
  }

  deliver(recipient: string, envelope: Envelope): Promise<void> {
    return this.push(recipient, envelope);
  }

  /** Nothing to do: the internal listener hands what is pushed to the module itself. */
  async subscribe(_module: string, _receive: Receive): Promise<() => Promise<void>> {
    return async () => {};
  }

  async close(): Promise<void> {}
}
