import type { Channel } from 'rabbitmq-client';
import { InOrder, type SubscriptionMap } from '../../kernel/events/index.ts';

/**
 * How often the broker hands out an event that is never taken, before it gives it up. It counts whatever was in hand with what
 * ended the process, so the consumer, which judges better, gives up long before.
 */
const handOuts = 200;

/** Why an event is in the queue of the dead. */
export const whyDead = `RabbitMQ gave it up: handed out ${handOuts} times, and never taken`;

/** How a system's exchanges and queues are called, and what they are: everybody who needs them declares them alike. */
export class Queues {
  /** Topic exchange: whoever wants events binds a queue to it, by their types. */
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

  /** What waits for a module. */
  of(module: string): string {
    return `${this.namespace}.${module}`;
  }

  /** What killed the module, or lost it, again and again. */
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
   * Returns how many events are in the module's queues, without those that are handed out. Of two that declare a new quorum
   * queue at the same time, the broker cuts off one.
   */
  declare(channel: Channel, module: string): Promise<number> {
    return this.#inOrder.run(module, () => this.#declare(channel, module));
  }

  async #declare(channel: Channel, module: string): Promise<number> {
    await this.#declareExchanges(channel);
    const dead = await channel.queueDeclare({
      queue: this.deadOf(module),
      durable: true,
      // Later brokers have a limit of their own, past which they would throw away what is here.
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
        // What is given up stays until the other queue has it; the broker asks for `reject-publish` with that.
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
