import { isIP } from 'node:net';
import type { Admin, BaseOptions, Consumer, Producer, SASLMechanismValue } from '@platformatic/kafka';
import { type Clock, pause } from '../../kernel/context/index.ts';
import {
  answerWithin,
  type BrokerDependencies,
  BrokerReachability,
  hostOf,
  maxInFlight,
  namespaceOf,
  patienceMs,
  shownAddress,
} from '../../kernel/ports/index.ts';

type Library = typeof import('@platformatic/kafka');
export type TextProducer = Producer<string, string, string, string>;
export type TextConsumer = Consumer<string, string, string, string>;

const hourMs = 60 * 60_000;

/** A Kafka cluster: creates the clients of this process, and the missing topics. */
export class KafkaCluster {
  readonly reachability: BrokerReachability;
  readonly options: BaseOptions;
  readonly #partitions: number;
  readonly #retentionMs: number;
  readonly #namespace: string;
  readonly #clock: Clock;
  /** Topics that the cluster is known to have. */
  readonly #seen = new Set<string>();

  constructor({ url, clock, log }: BrokerDependencies) {
    this.reachability = new BrokerReachability(shownAddress(url), log);
    this.options = {
      clientId: 'kerf',
      bootstrapBrokers: [`${url.hostname}:${url.port || 9092}`],
      ...credentials(url),
      ...(url.protocol === 'kafkas:' && { tls: {}, tlsServerName: isIP(hostOf(url)) === 0 }),
      connectTimeout: 3_000,
      requestTimeout: 4_000,
      timeout: 3_000,
      retries: 0,
    };
    this.#partitions = Number(url.searchParams.get('partitions')) || 6;
    this.#retentionMs = (Number(url.searchParams.get('retentionHours')) || 6 * 24) * hourMs;
    this.#namespace = namespaceOf(url);
    this.#clock = clock;
  }

  /** Loads the library on first use: loading takes most of a second and 43 MB. */
  library(): Promise<Library> {
    return import('@platformatic/kafka');
  }

  /** Returns the topic for all events of a module, so that events with the same key keep their order across types. */
  topicOf(type: string): string {
    return `${this.#namespace}.${type.split('.', 1)[0]}`;
  }

  /** Returns the topics of these types. */
  topicsOf(types: readonly string[]): string[] {
    return [...new Set(types.map((type) => this.topicOf(type)))];
  }

  /** Creates the missing topics. Resolves when all topics are ready for writes and reads. */
  async ensure(topics: readonly string[]): Promise<void> {
    const unseen = topics.filter((topic) => !this.#seen.has(topic));
    if (unseen.length === 0) return;
    await this.ask(async (admin) => {
      const there = new Set(await admin.listTopics());
      await Promise.all(unseen.filter((topic) => !there.has(topic)).map((topic) => this.#create(admin, topic)));
      while (!(await serves(admin, unseen))) await pause(this.#clock, 20);
    });
    for (const topic of unseen) this.#seen.add(topic);
  }

  /** Forgets the known topics: another cluster may answer, or an operator may have deleted a topic. */
  lookAgain(): void {
    this.#seen.clear();
  }

  /** Creates a producer. All replicas confirm each event, and retries within the client create no duplicates. */
  async producer(): Promise<TextProducer> {
    const { Producer, ProduceAcks, stringSerializers, compatibilityPartitioner } = await this.library();
    return new Producer({
      ...this.options,
      retries: 2,
      retryDelay: 100,
      acks: ProduceAcks.ALL,
      idempotent: true,
      serializers: stringSerializers,
      // Partitions like the Java clients, so that other programs write a key to the same partition.
      partitioner: compatibilityPartitioner,
    });
  }

  /** Creates a consumer of a module's group, without joining it. The group detects a dead member after six seconds. */
  async consumer(module: string): Promise<TextConsumer> {
    const { Consumer, stringDeserializers } = await this.library();
    return new Consumer({
      ...this.options,
      groupId: this.#groupOf(module),
      // Joining waits for the other members.
      requestTimeout: 20_000,
      sessionTimeout: 6_000,
      heartbeatInterval: 1_000,
      rebalanceTimeout: 10_000,
      autocommit: false,
      maxBytes: 1024 * 1024,
      maxWaitTime: 1_000,
      highWaterMark: maxInFlight,
      deserializers: stringDeserializers,
    });
  }

  /** Resolves with the number of retained events in these topics that a module's group has not taken yet. */
  async lag(module: string, topics: string[]): Promise<number> {
    await this.ensure(topics);
    const groupId = this.#groupOf(module);
    return this.ask(async (admin) => {
      const [first, end, [group]] = await Promise.all([
        offsetsOf(admin, topics, earliest),
        offsetsOf(admin, topics, latest),
        admin.listConsumerGroupOffsets({ groups: [groupId] }),
      ]);
      const begun = new Map(
        group?.topics.flatMap(({ name, partitions }) =>
          partitions.map(
            ({ partitionIndex, committedOffset }) => [`${name}:${partitionIndex}` as string, committedOffset] as const,
          ),
        ),
      );
      return [...end].reduce((sum, [partition, last]) => {
        const next = Math.max(Number(begun.get(partition) ?? -1), Number(first.get(partition) ?? 0));
        return sum + Math.max(0, Number(last) - next);
      }, 0);
    });
  }

  /** Asks the cluster with a separate client. Rejects after `patienceMs` without an answer. */
  async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    const { Admin } = await this.library();
    const admin = new Admin(this.options);
    try {
      return await answerWithin(this.#clock, patienceMs, question(admin));
    } finally {
      admin.close().catch(() => {});
    }
  }

  /** Returns the consumer group of a module's processes. */
  #groupOf(module: string): string {
    return `${this.#namespace}.${module}`;
  }

  /** Creates a topic. The cluster removes only whole, closed segments, so `segment.ms` makes a small topic begin new ones. */
  async #create(admin: Admin, topic: string): Promise<void> {
    const kept = { 'retention.ms': this.#retentionMs, 'segment.ms': 12 * hourMs };
    const configs = Object.entries(kept).map(([name, value]) => ({ name, value: String(value) }));
    try {
      await admin.createTopics({ topics: [topic], partitions: this.#partitions, configs });
    } catch (error) {
      if (!isKafka(error, 'TOPIC_ALREADY_EXISTS')) throw error;
    }
  }
}

/** Tells whether the cluster reported one of these errors, possibly among others. */
export function isKafka(error: unknown, ...names: string[]): boolean {
  const { findBy } = error as { findBy?: (property: string, value: string) => unknown };
  return names.some((name) => findBy?.call(error, 'apiId', name));
}

/** Returns the root of an error that the client has wrapped, such as "Connection to 127.0.0.1:9092 failed." */
export function rootOf(error: unknown): unknown {
  const { errors } = error as { errors?: unknown[] };
  return errors?.length ? rootOf(errors.at(-1)) : error;
}

/** Tells whether the cluster gave no answer, no answer in time, or refused this process. */
export function isAway(error: unknown): boolean {
  const { findBy } = error as { findBy?: (property: string, value: string) => unknown };
  if (!findBy) return true;
  return ['NETWORK', 'TIMEOUT', 'AUTHENTICATION'].some((kind) => findBy.call(error, 'code', `PLT_KFK_${kind}`));
}

const [latest, earliest] = [-1n, -2n];

/** Maps each partition to the offset of its first event, or of its next event. */
async function offsetsOf(admin: Admin, topics: string[], timestamp: bigint): Promise<Map<string, bigint>> {
  const metadata = await admin.metadata({ topics });
  const asked = topics.map((name) => ({
    name,
    partitions: metadata.topics.get(name)!.partitions.map((_, partitionIndex) => ({ partitionIndex, timestamp })),
  }));
  const answered = await admin.listOffsets({ topics: asked });
  return new Map(
    answered.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, offset }) => [`${name}:${partitionIndex}`, offset] as const),
    ),
  );
}

/** Tells whether all partitions of the topics have a leader, and the leader knows its role. */
async function serves(admin: Admin, topics: string[]): Promise<boolean> {
  try {
    await admin.metadata({ topics, forceUpdate: true });
    await offsetsOf(admin, topics, latest);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const notYet = ['LEADER_NOT_AVAILABLE', 'NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'];
    if (message.startsWith('Unknown topic') || isKafka(error, ...notYet)) return false;
    throw error;
  }
}

/** Reads the credentials from the address: `kafka://user:password@broker?mechanism=SCRAM-SHA-512`. */
function credentials({ username, password, searchParams }: URL): Pick<BaseOptions, 'sasl'> {
  if (!username) return {};
  const mechanism = (searchParams.get('mechanism') ?? 'PLAIN').toUpperCase() as SASLMechanismValue;
  return { sasl: { mechanism, username: decodeURIComponent(username), password: decodeURIComponent(password) } };
}
