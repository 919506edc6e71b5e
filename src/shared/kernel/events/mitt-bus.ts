import mitt from 'mitt';
import type { Bus, Receive, SubscriptionMap } from './bus.ts';
import { type EncodedEvent, parseEvent } from './envelope.ts';

interface Delivery {
  events: readonly EncodedEvent[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Carries events within one process. Delivers through `outside` to a module that subscribes in another process, so that an
 * extraction changes nothing for the publishers.
 */
export class MittBus implements Bus {
  readonly #emitter = mitt<Record<string, Delivery>>();
  private readonly subscriptions: SubscriptionMap;
  private readonly outside: Pick<Bus, 'deliver'>;

  constructor(subscriptions: SubscriptionMap, outside: Pick<Bus, 'deliver'>) {
    this.subscriptions = subscriptions;
    this.outside = outside;
  }

  recipients(type: string): readonly string[] {
    return this.subscriptions.recipients(type);
  }

  deliver(recipient: string, events: readonly EncodedEvent[]): Promise<void> {
    if (!this.#emitter.all.get(recipient)?.length) return this.outside.deliver(recipient, events);
    return new Promise((resolve, reject) => this.#emitter.emit(recipient, { events, resolve, reject }));
  }

  async subscribe(module: string, receive: Receive): Promise<() => Promise<void>> {
    const inFlight = new Set<Promise<void>>();
    const listener = ({ events, resolve, reject }: Delivery) => {
      const received = Promise.all(events.map(({ json }) => receive(parseEvent(json))))
        .then(() => resolve(), reject)
        .finally(() => inFlight.delete(received));
      inFlight.add(received);
    };
    this.#emitter.on(module, listener);
    return async () => {
      this.#emitter.off(module, listener);
      await Promise.all(inFlight);
    };
  }

  /** Returns 0: this bus keeps no events. An event that no module has taken stays in the outbox. */
  async backlog(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {
    this.#emitter.all.clear();
  }
}
