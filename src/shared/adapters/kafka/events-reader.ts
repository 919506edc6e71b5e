import { type Clock, pause } from '../../kernel/context/index.ts';
import { messageOf } from '../../kernel/errors/index.ts';
import { familyOf, parseEvent, type Receive } from '../../kernel/events/index.ts';
import { maxInFlight, RetryingReceiver } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { isAway, type KafkaCluster, rootOf } from './events-cluster.ts';
import { Membership, type PartitionTaker } from './events-membership.ts';

export interface ReaderDependencies {
  readonly module: string;
  /** Event types of the module, without their versions. */
  readonly families: readonly string[];
  readonly receive: Receive;
  readonly cluster: KafkaCluster;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads the events of one module as a member of its group. Joins again whenever the cluster comes back. */
export class KafkaReader implements PartitionTaker {
  readonly #parts: ReaderDependencies;
  readonly #families: ReadonlySet<string>;
  readonly #receiver: RetryingReceiver;
  readonly #inFlight = new Set<Promise<boolean>>();
  readonly #leaving = Promise.withResolvers<void>();
  readonly #cut = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  #membership: Membership | undefined;
  #stopped = false;

  constructor(parts: ReaderDependencies) {
    this.#parts = parts;
    this.#families = new Set(parts.families);
    this.#receiver = new RetryingReceiver(parts.receive, parts);
    this.#running = this.#run();
  }

  /** Stops reading. Resolves when events in flight are taken and committed, and the reader has left the group. */
  async stop(): Promise<void> {
    this.#end();
    this.#membership?.takeNoMore();
    await Promise.race([Promise.all(this.#inFlight), this.#cut.promise]);
    await this.#membership?.commit();
    await this.#membership?.leave();
    await this.#running;
  }

  /** Leaves at once. Kafka delivers events in flight again. */
  async cut(): Promise<void> {
    this.#end();
    this.#cut.resolve();
    await this.#membership?.leave();
    await this.#running;
  }

  hasRoom(): boolean {
    return this.#inFlight.size < maxInFlight;
  }

  take(text: string): Promise<boolean> {
    const event = parseEvent(text);
    if (!this.#isTheirs(event)) return Promise.resolve(true);
    const taking = this.#receiver
      .take(event, () => this.#stopped)
      .finally(() => {
        this.#inFlight.delete(taking);
        this.#membership?.go();
      });
    this.#inFlight.add(taking);
    return taking;
  }

  /** Tells whether the event is for the module. An event without a type counts too, so that the module sets it aside with the error. */
  #isTheirs(event: unknown): boolean {
    const { type } = (event ?? {}) as { type?: unknown };
    return typeof type !== 'string' || this.#families.has(familyOf(type));
  }

  #end(): void {
    this.#stopped = true;
    this.#leaving.resolve();
  }

  async #run(): Promise<void> {
    const { cluster, clock } = this.#parts;
    let failures = 0;
    while (!this.#stopped) {
      try {
        await this.#stay(() => (failures = 0));
      } catch (error) {
        if (this.#stopped) return;
        failures += 1;
        this.#report(error, failures);
        cluster.lookAgain();
        await Promise.race([pause(clock, Math.min(2_000, 50 * 2 ** failures)), this.#leaving.promise]);
      }
    }
  }

  /** Runs one membership. Rejects with the error that ended it, unless the reader has stopped. */
  async #stay(joined: () => void): Promise<void> {
    const { cluster, clock, module, families } = this.#parts;
    const topics = cluster.topicsOf(families);
    await cluster.ensure(topics);
    const consumer = await cluster.consumer(module);
    const membership = new Membership(consumer, topics, this, clock);
    this.#membership = membership;
    try {
      if (this.#stopped) return;
      await Promise.race([membership.join(), membership.over]);
      cluster.reachability.reached();
      joined();
      await membership.over;
    } finally {
      await membership.leave();
    }
  }

  /** Logs a repeated failure. Ignores the first ones: a pending election of a coordinator or leader ends soon. */
  #report(error: unknown, failures: number): void {
    const { cluster, module, log } = this.#parts;
    const root = rootOf(error);
    if (isAway(error)) cluster.reachability.lost(root);
    else if (failures === 5) log.warn({ module, why: messageOf(root) }, 'events cannot be read; it is tried again');
  }
}
