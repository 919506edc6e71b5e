import {
  type BrokerDependencies,
  type Bus,
  type EncodedEvent,
  patienceMs,
  pause,
  type Receive,
  within,
} from '../../kernel/events/index.ts';
import { isKafka, KafkaCluster, rootOf, type TextProducer } from './events-cluster.ts';
import { KafkaReader } from './events-reader.ts';

/**
 * Events over Kafka, in a topic for each module that publishes. The modules that subscribe are groups of consumers, which begin
 * with the oldest event the cluster still has: a module that is new to the system gets what is retained as well, and none
 * gets what was removed before it came. So the topics' retention must be longer than the longest absence, and shorter than the
 * seven days for which an inbox knows what it has taken: a group that loses its place begins with the oldest event, and none may
 * take effect again. A topic is made to keep events for six days, or `?retentionHours=`; one that is there stays as it is.
 */
export function openKafka(parts: BrokerDependencies): Bus {
  return new KafkaBus(parts);
}

class KafkaBus implements Bus {
  readonly #parts: BrokerDependencies;
  readonly #cluster: KafkaCluster;
  readonly #readers = new Set<KafkaReader>();
  #producer: Promise<TextProducer> | undefined;
  #closed = false;

  constructor(parts: BrokerDependencies) {
    this.#parts = parts;
    this.#cluster = new KafkaCluster(parts);
    void this.#prepare();
  }

  recipients(): readonly string[] {
    return ['kafka'];
  }

  async deliver(_recipient: string, events: readonly EncodedEvent[]): Promise<void> {
    const { reachability } = this.#cluster;
    if (this.#closed) throw reachability.refusal();
    try {
      await this.#cluster.library();
      await within(this.#parts.clock, patienceMs, this.#send(events));
      reachability.reached();
    } catch (error) {
      if (isKafka(error, 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD')) throw error;
      this.#beginAnew();
      if (!this.#closed) reachability.lost(rootOf(error));
      throw reachability.refusal(error);
    }
  }

  async subscribe(module: string, receive: Receive): Promise<() => Promise<void>> {
    const { subscriptions, clock, log } = this.#parts;
    const families = subscriptions.families(module);
    if (families.length === 0 || this.#closed) return async () => {};
    const reader = new KafkaReader({ module, families, receive, cluster: this.#cluster, clock, log });
    this.#readers.add(reader);
    return async () => {
      await reader.stop();
      this.#readers.delete(reader);
    };
  }

  /** Counts what the module does not subscribe to as well, where it is in a topic with what it does. */
  async held(module: string): Promise<number> {
    const cluster = this.#cluster;
    try {
      return await cluster.lag(module, cluster.topicsOf(this.#parts.subscriptions.families(module)));
    } catch (error) {
      throw cluster.reachability.refusal(error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#beginAnew();
    await Promise.all([...this.#readers].map((reader) => reader.cut()));
    this.#readers.clear();
  }

  /** Has the topics of all that is subscribed to there, as soon as the cluster can be reached. */
  async #prepare(): Promise<void> {
    const { subscriptions, clock } = this.#parts;
    const families = subscriptions.modules.flatMap((module) => subscriptions.families(module));
    for (let attempts = 1; !this.#closed; attempts += 1) {
      try {
        await this.#cluster.ensure(this.#cluster.topicsOf(families));
        return this.#cluster.reachability.reached();
      } catch (error) {
        if (!this.#closed) this.#cluster.reachability.lost(rootOf(error));
        await pause(clock, Math.min(2_000, 50 * 2 ** attempts));
      }
    }
  }

  /** All at once: they go to the cluster together, a batch for each partition. */
  async #send(events: readonly EncodedEvent[]): Promise<void> {
    const cluster = this.#cluster;
    await cluster.ensure(cluster.topicsOf(events.map(({ type }) => type)));
    this.#producer ??= cluster.producer();
    const producer = await this.#producer;
    await producer.send({
      messages: events.map(({ id, type, key, json }) => ({
        topic: cluster.topicOf(type),
        key,
        value: json,
        headers: { 'content-type': 'application/cloudevents+json', id },
      })),
    });
  }

  /** What one client knows may be out of date, and its connections dead: the next delivery makes a new one. */
  #beginAnew(): void {
    this.#producer?.then((producer) => producer.close()).catch(() => {});
    this.#producer = undefined;
    this.#cluster.lookAgain();
  }
}
