import type { MessagesStream } from '@platformatic/kafka';
import { type Clock, pause } from '../../kernel/context/index.ts';
import { answerWithin } from '../../kernel/ports/index.ts';
import { isKafka, type TextConsumer } from './events-cluster.ts';
import { Offsets } from './events-offsets.ts';

type TextStream = MessagesStream<string, string, string, string>;

const commitEveryMs = 100;

/** Receives the texts of a membership. */
export interface PartitionTaker {
  /** Resolves with true when the text was taken. The membership calls it in the order of the partition. */
  take(text: string): Promise<boolean>;
  hasRoom(): boolean;
}

/** The partitions that a member reads between two rebalances, with the progress of each. */
class Share {
  stream: TextStream | undefined;
  readonly #partitions = new Map<string, { topic: string; partition: number; leaderEpoch: number; offsets: Offsets }>();

  begin(topic: string, partition: number, leaderEpoch: number, offset: bigint): Offsets {
    const name = `${topic}:${partition}`;
    let known = this.#partitions.get(name);
    if (!known) {
      known = { topic, partition, leaderEpoch, offsets: new Offsets() };
      this.#partitions.set(name, known);
    }
    known.leaderEpoch = leaderEpoch;
    known.offsets.begin(offset);
    return known.offsets;
  }

  due() {
    return [...this.#partitions.values()].flatMap(({ offsets, ...where }) =>
      offsets.due === undefined ? [] : [{ ...where, offset: offsets.due, offsets }],
    );
  }
}

/**
 * One membership in a group, from joining to leaving or to the first error. After every rebalance it reads again from the committed
 * offsets of the group. It no longer commits events that were in flight before; their taker still completes them.
 */
export class Membership {
  readonly #over = Promise.withResolvers<void>();
  #share: Share | undefined;
  #committing: Promise<void> | undefined;
  #leaving = false;
  private readonly consumer: TextConsumer;
  private readonly topics: string[];
  private readonly taker: PartitionTaker;
  private readonly clock: Clock;

  constructor(consumer: TextConsumer, topics: string[], taker: PartitionTaker, clock: Clock) {
    this.consumer = consumer;
    this.topics = topics;
    this.taker = taker;
    this.clock = clock;
    this.#over.promise.catch(() => {});
  }

  /** Resolves when it has left. Rejects with the first error. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Joins the group. Resolves when the group has assigned partitions. */
  async join(): Promise<void> {
    const { consumer } = this;
    consumer.on('error', this.#over.reject);
    consumer.on('consumer:heartbeat:error', ({ error }) => this.#over.reject(error));
    consumer.on('consumer:group:join', () => this.#readAnew());
    // This extra reference keeps the topics on the consumer while a new stream replaces the old one.
    consumer.topics.trackAll(...this.topics);
    await consumer.joinGroup();
  }

  /** Resumes reading when the taker has room again. */
  go(): void {
    const stream = this.#share?.stream;
    if (stream?.isPaused() && this.taker.hasRoom()) stream.resume();
  }

  /** Stops reading, but stays in the group to commit events in flight. */
  takeNoMore(): void {
    this.#leaving = true;
    this.#share?.stream?.destroy();
  }

  /** Commits the offsets of taken events. */
  async commit(): Promise<void> {
    const due = this.#share?.due() ?? [];
    if (due.length === 0 || !this.consumer.isActive()) return;
    try {
      await this.consumer.commit({ offsets: due.map(({ offsets: _, ...where }) => where) });
      for (const { offsets, offset } of due) offsets.committed(offset);
    } catch (error) {
      // The group has rebalanced without this member. The next heartbeat reports it too, and the member joins again.
      if (!isKafka(error, 'REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID')) this.#over.reject(error);
    }
  }

  /** Leaves the group, so that other members do not wait for it. Commits nothing. */
  async leave(): Promise<void> {
    this.takeNoMore();
    this.#share = undefined;
    await answerWithin(this.clock, 1_000, this.consumer.close(true)).catch(() => {});
    this.#over.resolve();
  }

  #readAnew(): void {
    this.#share?.stream?.destroy();
    if (this.#leaving) return;
    const share = new Share();
    this.#share = share;
    const { topics } = this;
    this.consumer.consume({ topics, mode: 'committed', fallbackMode: 'earliest' }).then((stream) => {
      stream.on('error', (error) => this.#share === share && this.#over.reject(error));
      if (this.#share !== share || this.#leaving) return void stream.destroy();
      share.stream = stream;
      this.#read(share, stream);
    }, this.#over.reject);
  }

  #read(share: Share, stream: TextStream): void {
    stream.on('data', ({ topic, partition, leaderEpoch, offset, value }) => {
      const offsets = share.begin(topic, partition, leaderEpoch, offset);
      this.taker.take(value ?? '').then((taken) => {
        if (!taken) return;
        offsets.end(offset);
        if (this.#share === share) this.#commitSoon();
      });
      if (!this.taker.hasRoom()) stream.pause();
    });
    if (!this.taker.hasRoom()) stream.pause();
  }

  #commitSoon(): void {
    this.#committing ??= pause(this.clock, commitEveryMs)
      .then(() => this.commit())
      .finally(() => {
        this.#committing = undefined;
        if (this.#share?.due().length) this.#commitSoon();
      });
  }
}
