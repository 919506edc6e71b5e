import { pause } from '../../kernel/context/index.ts';
import type { Bus, EncodedEvent, Receive } from '../../kernel/events/index.ts';
import { answerWithin, type BrokerDependencies, patienceMs } from '../../kernel/ports/index.ts';
import { isKafka, KafkaCluster, rootOf, type TextProducer } from './events-cluster.ts';
import { KafkaReader } from './events-reader.ts';

/**
 * Opens a bus over Kafka, with one topic for each publishing module. Each subscribing module is a consumer group. A new group begins
 * with the oldest retained event, so a new module also gets older events that the cluster still has.
 *
 * The retention of the topics must be longer than the longest absence of a module. It must also be shorter than the seven days for
 * which an inbox remembers events: a group that loses its offsets begins with the oldest event, and no event may take effect twice.
 * A created topic keeps events for six days, or for `?retentionHours=`. An existing topic stays unchanged.
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
      await answerWithin(this.#parts.clock, patienceMs, this.#send(events));
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

  /** Counts the waiting events. Also counts events of other types in the topics that the module reads. */
  async backlog(module: string): Promise<number> {
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

  /** Creates the topics of all subscriptions, as soon as the cluster is reachable. */
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

  /** Sends all events together, in one batch for each partition. */
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

  /** Drops the producer: its metadata may be outdated and its connections dead. The next delivery creates a new one. */
  #beginAnew(): void {
    this.#producer?.then((producer) => producer.close()).catch(() => {});
    this.#producer = undefined;
    this.#cluster.lookAgain();
  }
}
