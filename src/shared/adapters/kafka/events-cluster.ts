import { isIP } from 'node:net';
import type { Admin, BaseOptions, Consumer, Producer, SASLMechanismValue } from '@platformatic/kafka';
import { namespaceOf, shownAddress } from '../../kernel/calls/index.ts';
import type { Clock } from '../../kernel/context/index.ts';
import { type BrokerDependencies, inHand, patienceMs, pause, Reachability, within } from '../../kernel/events/index.ts';

type Library = typeof import('@platformatic/kafka');
export type TextProducer = Producer<string, string, string, string>;
export type TextConsumer = Consumer<string, string, string, string>;

const hourMs = 60 * 60_000;

/** A Kafka cluster as one process reaches it: what its clients are made with, and the topics it must have. */
export class KafkaCluster {
  readonly reachability: Reachability;
  readonly options: BaseOptions;
  readonly #partitions: number;
  readonly #retentionMs: number;
  readonly #namespace: string;
  readonly #clock: Clock;
  /** Topics that were seen to be there. */
  readonly #seen = new Set<string>();

  constructor({ url, clock, log }: BrokerDependencies) {
    this.reachability = new Reachability(shownAddress(url), log);
    this.options = {
      clientId: 'kerf',
      bootstrapBrokers: [`${url.hostname}:${url.port || 9092}`],
      ...credentials(url),
      ...(url.protocol === 'kafkas:' && { tls: {}, tlsServerName: isIP(url.hostname) === 0 }),
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

  /** Loaded when it is first needed: it takes most of a second and 43 MB. */
  library(): Promise<Library> {
    return import('@platformatic/kafka');
  }

  /** The topic of all that a module publishes, so that what has the same key keeps its order, whatever its type. */
  topicOf(type: string): string {
    return `${this.#namespace}.${type.split('.', 1)[0]}`;
  }

  /** The topics in which these types are. */
  topicsOf(types: readonly string[]): string[] {
    return [...new Set(types.map((type) => this.topicOf(type)))];
  }

  /** Creates the topics that are missing. Resolves when all of them can be written to and read. */
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

  /** What was seen may be gone: another cluster may answer, or somebody deleted a topic. */
  lookAgain(): void {
    this.#seen.clear();
  }

  /** Confirmed by all replicas, and not doubled by a repetition within the client. */
  async producer(): Promise<TextProducer> {
    const { Producer, ProduceAcks, stringSerializers, compatibilityPartitioner } = await this.library();
    return new Producer({
      ...this.options,
      retries: 2,
      retryDelay: 100,
      acks: ProduceAcks.ALL,
      idempotent: true,
      serializers: stringSerializers,
      // As Java's clients do it, so that whoever else writes under a key writes to the same partition.
      partitioner: compatibilityPartitioner,
    });
  }

  /** A consumer of a module's group, which has not joined it yet. A member that died is missed after six seconds. */
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
      highWaterMark: inHand,
      deserializers: stringDeserializers,
    });
  }

  /** How many events of these topics a module's group has not taken yet, of those the cluster still has. */
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

  /** Asks the cluster with a client of its own. Rejects within five seconds when there is no answer. */
  async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    const { Admin } = await this.library();
    const admin = new Admin(this.options);
    try {
      return await within(this.#clock, patienceMs, question(admin));
    } finally {
      admin.close().catch(() => {});
    }
  }

  /** The group of consumers that a module's processes are. */
  #groupOf(module: string): string {
    return `${this.#namespace}.${module}`;
  }

  /** The cluster removes whole segments, and never the one it writes to: a small topic must begin a new one now and then. */
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

/** Whether the cluster said so, be it one thing among others. */
export function isKafka(error: unknown, ...names: string[]): boolean {
  const { findBy } = error as { findBy?: (property: string, value: string) => unknown };
  return names.some((name) => findBy?.call(error, 'apiId', name));
}

/** What lies under an error that the client has wrapped: "Connection to 127.0.0.1:9092 failed." */
export function rootOf(error: unknown): unknown {
  const { errors } = error as { errors?: unknown[] };
  return errors?.length ? rootOf(errors.at(-1)) : error;
}

/** Whether the cluster did not answer at all, or not in time, or does not admit this process. */
export function isAway(error: unknown): boolean {
  const { findBy } = error as { findBy?: (property: string, value: string) => unknown };
  if (!findBy) return true;
  return ['NETWORK', 'TIMEOUT', 'AUTHENTICATION'].some((kind) => findBy.call(error, 'code', `PLT_KFK_${kind}`));
}

const [latest, earliest] = [-1n, -2n];

/** Partition → the offset of its first event, or of the one that will come next. */
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

/** Whether all their partitions have a leader, and the leader knows. */
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

/** What the address says about who connects: `kafka://user:password@broker?mechanism=SCRAM-SHA-512`. */
function credentials({ username, password, searchParams }: URL): Pick<BaseOptions, 'sasl'> {
  if (!username) return {};
  const mechanism = (searchParams.get('mechanism') ?? 'PLAIN').toUpperCase() as SASLMechanismValue;
  return { sasl: { mechanism, username: decodeURIComponent(username), password: decodeURIComponent(password) } };
}
