import type { Channel } from 'rabbitmq-client';
import { InOrder, type SubscriptionMap } from '../../kernel/events/index.ts';

/**
 * Maximum deliveries before the broker dead-letters an event. After a crash, the broker counts all events in flight, not only the
 * cause of the crash. The consumer judges better, and dead-letters an event long before this limit.
 */
const handOuts = 200;

/** Reason why an event is in the dead-letter queue. */
export const whyDead = `RabbitMQ gave it up: handed out ${handOuts} times, and never taken`;

/** Names and declares the exchanges and queues of a system, so that all processes declare them identically. */
export class Queues {
  /** Topic exchange. Subscribers bind a queue to it by event types. */
  readonly events: string;
  readonly #deadEvents: string;
  readonly #inOrder = new InOrder();
  private readonly namespace: string;
  private readonly subscriptions: SubscriptionMap;

  constructor(namespace: string, subscriptions: SubscriptionMap) {
    this.namespace = namespace;
    this.subscriptions = subscriptions;
    this.events = `${namespace}.events`;
    this.#deadEvents = `${namespace}.dead`;
  }

  get exchanges(): readonly string[] {
    return [this.events, this.#deadEvents];
  }

  /** Returns the name of a module's queue. */
  of(module: string): string {
    return `${this.namespace}.${module}`;
  }

  /** Returns the name of a module's dead-letter queue, for events that repeatedly crashed or disconnected the module. */
  deadOf(module: string): string {
    return `${this.namespace}.dead.${module}`;
  }

  async declareAll(channel: Channel): Promise<void> {
    await this.#declareExchanges(channel);
    for (const module of this.subscriptions.modules) {
      if (this.subscriptions.families(module).length > 0) await this.declare(channel, module);
    }
  }

  /**
   * Declares the queues of a module, one declaration at a time: when two channels declare a new quorum queue at once, the broker
   * cuts off one of them. Resolves with the number of events in the queues, without delivered ones.
   */
  declare(channel: Channel, module: string): Promise<number> {
    return this.#inOrder.run(module, () => this.#declare(channel, module));
  }

  async #declare(channel: Channel, module: string): Promise<number> {
    await this.#declareExchanges(channel);
    const dead = await channel.queueDeclare({
      queue: this.deadOf(module),
      durable: true,
      // Newer brokers have a default limit, after which they would drop the events of this queue.
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 },
    });
    await channel.queueBind({ queue: this.deadOf(module), exchange: this.#deadEvents, routingKey: module });
    const waiting = await channel.queueDeclare({
      queue: this.of(module),
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-single-active-consumer': true,
        'x-delivery-limit': handOuts,
        'x-dead-letter-exchange': this.#deadEvents,
        'x-dead-letter-routing-key': module,
        // A dead-lettered event stays until the other queue has it. The broker requires `reject-publish` for that.
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      },
    });
    for (const family of this.subscriptions.families(module)) {
      await channel.queueBind({ queue: this.of(module), exchange: this.events, routingKey: `${family}.*` });
    }
    return waiting.messageCount + dead.messageCount;
  }

  async #declareExchanges(channel: Channel): Promise<void> {
    await channel.exchangeDeclare({ exchange: this.events, type: 'topic', durable: true });
    await channel.exchangeDeclare({ exchange: this.#deadEvents, type: 'direct', durable: true });
  }
}
