import { type Channel, Connection } from 'rabbitmq-client';
import { isRefusal } from '../../kernel/errors/index.ts';
import type { Bus, EncodedEvent, Receive } from '../../kernel/events/index.ts';
import {
  answerWithin,
  type BrokerDependencies,
  BrokerReachability,
  namespaceOf,
  patienceMs,
  shownAddress,
} from '../../kernel/ports/index.ts';
import { SteadyChannel } from './events-channel.ts';
import { AmqpConsumer } from './events-consumer.ts';
import { refuseStrangers } from './events-greeting.ts';
import { Queues } from './events-queues.ts';

const recipients = ['amqp'];

/**
 * Carries events over RabbitMQ (AMQP 0-9-1): a durable topic exchange, and for each subscribing module a quorum queue with one active
 * consumer at a time. Any other program can receive all events when it binds its own queue.
 */
export async function openAmqp(parts: BrokerDependencies): Promise<Bus> {
  await refuseStrangers(parts.url);
  return new AmqpBus(parts);
}

class AmqpBus implements Bus {
  readonly #parts: BrokerDependencies;
  readonly #queues: Queues;
  readonly #reachability: BrokerReachability;
  /** Separate connections: a full broker stops reading from publishing connections, so acknowledgments there would not arrive. */
  readonly #connections: { readonly out: Connection; readonly in: Connection };
  readonly #publishing: SteadyChannel;
  readonly #asking: SteadyChannel;
  readonly #consumers = new Map<string, AmqpConsumer>();
  readonly #channels = new Set<SteadyChannel>();

  constructor(parts: BrokerDependencies) {
    const { url, subscriptions, log } = parts;
    this.#parts = parts;
    this.#queues = new Queues(namespaceOf(url), subscriptions);
    this.#reachability = new BrokerReachability(shownAddress(url), log);
    this.#connections = { out: this.#connect('publishes'), in: this.#connect('subscribes') };
    this.#publishing = this.#channel(this.#connections.out, async (channel) => {
      await this.#queues.declareAll(channel);
      await channel.confirmSelect();
    });
    this.#asking = this.#channel(this.#connections.in, async () => {});
  }

  recipients(): readonly string[] {
    return recipients;
  }

  async deliver(_recipient: string, events: readonly EncodedEvent[]): Promise<void> {
    await this.#inTime(async () => {
      const channel = await this.#publishing.ready();
      const exchange = this.#queues.events;
      const each = { exchange, durable: true, contentType: 'application/cloudevents+json' };
      const sent = events.map(({ id: messageId, type: routingKey, json }) =>
        channel.basicPublish({ ...each, routingKey, messageId }, Buffer.from(json)),
      );
      await Promise.all(sent);
    });
  }

  async subscribe(module: string, receive: Receive): Promise<() => Promise<void>> {
    const { subscriptions, clock, log } = this.#parts;
    const families = subscriptions.families(module);
    if (families.length === 0) return async () => {};
    const consumer = new AmqpConsumer({ module, families, queues: this.#queues, receive, clock, log });
    const channel = this.#channel(this.#connections.in, (opened) => consumer.begin(opened));
    this.#consumers.set(module, consumer);
    return async () => {
      await consumer.leave();
      await this.#inTime(() => channel.close()).catch(() => {});
      this.#channels.delete(channel);
      this.#consumers.delete(module);
    };
  }

  /** Counts waiting events, without events in flight in other processes: the broker reveals that count only to its operators. */
  async backlog(module: string): Promise<number> {
    const waiting = await this.#inTime(async () => this.#queues.declare(await this.#asking.ready(), module));
    return waiting + (this.#consumers.get(module)?.size ?? 0);
  }

  async close(): Promise<void> {
    for (const channel of this.#channels) void channel.close();
    for (const connection of Object.values(this.#connections)) connection.unsafeDestroy();
  }

  #connect(what: string): Connection {
    const { url } = this.#parts;
    const connection = new Connection({
      url: url.href,
      connectionName: `${namespaceOf(url)} ${what}`,
      // Nagle's algorithm would hold back whatever is sent while an answer is awaited.
      noDelay: true,
      heartbeat: 10,
      retryLow: 250,
      retryHigh: patienceMs,
    });
    connection.setMaxListeners(0);
    connection.on('connection.blocked', (why) => this.#reachability.lost(new Error(`it takes no more: ${why}`)));
    connection.on('connection.unblocked', () => this.#reachability.reached());
    return connection;
  }

  #channel(connection: Connection, prepare: (channel: Channel) => Promise<void>): SteadyChannel {
    const { clock } = this.#parts;
    const channel = new SteadyChannel({ connection, reachability: this.#reachability, clock, prepare });
    this.#channels.add(channel);
    return channel;
  }

  /** Runs a task. Rejects with `unavailable` when it takes too long or fails; a refusal of the task passes through. */
  async #inTime<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await answerWithin(this.#parts.clock, patienceMs, task());
    } catch (error) {
      throw isRefusal(error) ? error : this.#reachability.refusal(error);
    }
  }
}
