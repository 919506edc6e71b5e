import mitt from 'mitt';
import type { Bus, Receive, SubscriptionMap } from './bus.ts';
import type { Envelope } from './envelope.ts';

interface Delivery {
  envelope: Envelope;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * The bus of one process. A module that subscribes elsewhere is reached through `outside`, so that taking a module out
 * changes nothing for those who publish to it.
 */
export class MittBus implements Bus {
  readonly #emitter = mitt<Record<string, Delivery>>();

  constructor(
    private readonly subscriptions: SubscriptionMap,
    private readonly outside: Pick<Bus, 'deliver'>,
  ) {}

  recipients(type: string): readonly string[] {
    return this.subscriptions.recipients(type);
  }

  deliver(recipient: string, envelope: Envelope): Promise<void> {
    if (!this.#emitter.all.get(recipient)?.length) return this.outside.deliver(recipient, envelope);
    return new Promise((resolve, reject) => this.#emitter.emit(recipient, { envelope, resolve, reject }));
  }

  async subscribe(module: string, receive: Receive): Promise<() => Promise<void>> {
    const underWay = new Set<Promise<void>>();
    const listener = ({ envelope, resolve, reject }: Delivery) => {
      const received = receive(envelope)
        .then(resolve, reject)
        .finally(() => underWay.delete(received));
      underWay.add(received);
    };
    this.#emitter.on(module, listener);
    return async () => {
      this.#emitter.off(module, listener);
      await Promise.all(underWay);
    };
  }

  async close(): Promise<void> {
    this.#emitter.all.clear();
  }
}
