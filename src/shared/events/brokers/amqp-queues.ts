import type { Channel } from 'rabbitmq-client';
import type { SubscriptionMap } from '../bus.ts';
import { InOrder } from '../in-order.ts';

/** How a system's exchange and queues are called, and what they are: everybody who needs them declares them alike. */
export class Queues {
  /** Topic exchange: whoever wants events binds a queue to it, by their types. */
  readonly events: string;
  readonly #inOrder = new InOrder();

  constructor(
    private readonly namespace: string,
    private readonly subscriptions: SubscriptionMap,
  ) {
    this.events = `${namespace}.events`;
  }

  /** What waits for a module. */
  of(module: string): string {
    return `${this.namespace}.${module}`;
  }

  async declareAll(channel: Channel): Promise<void> {
    await this.#declareExchange(channel);
    for (const module of this.subscriptions.modules) {
      if (this.subscriptions.families(module).length > 0) await this.declare(channel, module);
    }
  }

  /**
   * Returns how many events are in the module's queue, without those that are handed out. Of two that declare a new quorum
   * queue at the same time, the broker cuts off one.
   */
  declare(channel: Channel, module: string): Promise<number> {
    return this.#inOrder.run(module, () => this.#declare(channel, module));
  }

  async #declare(channel: Channel, module: string): Promise<number> {
    await this.#declareExchange(channel);
    const { messageCount } = await channel.queueDeclare({
      queue: this.of(module),
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-single-active-consumer': true,
        // Past a limit the broker throws away, and it counts whatever was in hand with what ended the process: the consumer
        // judges better what to give up. Later brokers have a limit of 20 unless there is another one.
        'x-delivery-limit': 1_000_000,
        // Where an operator limits its length, the newest event is refused, and waits in its outbox.
        'x-overflow': 'reject-publish',
      },
    });
    for (const family of this.subscriptions.families(module)) {
      await channel.queueBind({ queue: this.of(module), exchange: this.events, routingKey: `${family}.*` });
    }
    return messageCount;
  }

  async #declareExchange(channel: Channel): Promise<void> {
    await channel.exchangeDeclare({ exchange: this.events, type: 'topic', durable: true });
  }
}
