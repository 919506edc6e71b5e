import type { MessagesStream } from '@platformatic/kafka';
import type { Clock } from '../../kernel/context/index.ts';
import { pause, within } from '../../kernel/events/index.ts';
import { isKafka, type TextConsumer } from './events-cluster.ts';
import { Offsets } from './events-offsets.ts';

type TextStream = MessagesStream<string, string, string, string>;

const commitEveryMs = 100;

/** What a membership hands texts to. */
export interface PartitionTaker {
  /** Resolves with whether it was taken. Is called in the order of the partition. */
  take(text: string): Promise<boolean>;
  hasRoom(): boolean;
}

/** The partitions that a member reads from one rebalance to the next, and how far each is taken. */
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
 * One stay in a group, from joining it to leaving it or to the first trouble. After every rebalance it begins anew where the
 * group has committed; what was in hand before is waited for by whoever has it, and no longer committed.
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

  /** Resolves when it has left, rejects with the first trouble. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Resolves when the group has given it its share. */
  async join(): Promise<void> {
    const { consumer } = this;
    consumer.on('error', this.#over.reject);
    consumer.on('consumer:heartbeat:error', ({ error }) => this.#over.reject(error));
    consumer.on('consumer:group:join', () => this.#readAnew());
    // Counted here as well, they stay the consumer's while one stream takes the place of another.
    consumer.topics.trackAll(...this.topics);
    await consumer.joinGroup();
  }

  /** There is room again. */
  go(): void {
    const stream = this.#share?.stream;
    if (stream?.isPaused() && this.taker.hasRoom()) stream.resume();
  }

  /** Hands out nothing more, and stays to commit what is in hand. */
  takeNoMore(): void {
    this.#leaving = true;
    this.#share?.stream?.destroy();
  }

  /** Commits what is taken. */
  async commit(): Promise<void> {
    const due = this.#share?.due() ?? [];
    if (due.length === 0 || !this.consumer.isActive()) return;
    try {
      await this.consumer.commit({ offsets: due.map(({ offsets: _, ...where }) => where) });
      for (const { offsets, offset } of due) offsets.committed(offset);
    } catch (error) {
      // The group has gone on without it: the next heartbeat says so as well, and it joins again.
      if (!isKafka(error, 'REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID')) this.#over.reject(error);
    }
  }

  /** Leaves the group, so that others need not wait for it. Commits nothing. */
  async leave(): Promise<void> {
    this.takeNoMore();
    this.#share = undefined;
    await within(this.clock, 1_000, this.consumer.close(true)).catch(() => {});
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
