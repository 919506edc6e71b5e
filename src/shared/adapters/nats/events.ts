import { JetStreamApiError } from '@nats-io/jetstream';
import { headers, InvalidArgumentError, RequestError } from '@nats-io/transport-node';
import { pause } from '../../kernel/context/index.ts';
import { type Bus, type EncodedEvent, InOrder, type Receive } from '../../kernel/events/index.ts';
import {
  answerWithin,
  type BrokerDependencies,
  BrokerReachability,
  namespaceOf,
  patienceMs,
  shownAddress,
} from '../../kernel/ports/index.ts';
import { type NatsSession, openSession } from './events-session.ts';
import { NatsSubscription } from './events-subscription.ts';

const longestBackOffMs = 2_000;
const closingMs = 1_000;
const steadyMs = 10_000;

/** Opens the bus over NATS JetStream, from server 2.9 on. Does not wait for the server: it connects in the background, without end. */
export function openNats(parts: BrokerDependencies): Bus {
  return new NatsBus(parts);
}

/**
 * Keeps all events in one stream, each under `<namespace>.<its type>`. Every subscribing module has a durable consumer, which begins
 * when a process first declares it.
 */
class NatsBus implements Bus {
  readonly #parts: BrokerDependencies;
  readonly #stream: string;
  readonly #reachability: BrokerReachability;
  readonly #subscriptions = new Set<NatsSubscription>();
  /** Resolves when the current connection attempt succeeds. Rejects when it fails. */
  #opening!: Promise<NatsSession>;
  #session: NatsSession | undefined;
  #closed = false;

  constructor(parts: BrokerDependencies) {
    this.#parts = parts;
    this.#stream = namespaceOf(parts.url);
    this.#reachability = new BrokerReachability(shownAddress(parts.url), parts.log);
    void this.#stayConnected();
  }

  recipients(): readonly string[] {
    return ['nats'];
  }

  /** Publishes events of the same key one by one, so that a retried event is not stored after its successor. */
  async deliver(_recipient: string, events: readonly EncodedEvent[]): Promise<void> {
    const session = await this.#reach();
    const inOrder = new InOrder();
    try {
      await Promise.all(events.map((event) => inOrder.run(event.key, () => this.#publish(session, event))));
    } catch (error) {
      if (isNowhere(error)) session.end(error);
      throw isTheEventsFault(error) ? error : this.#reachability.refusal(error);
    }
  }

  async subscribe(module: string, receive: Receive): Promise<() => Promise<void>> {
    const { subscriptions, clock, log } = this.#parts;
    const families = subscriptions.families(module);
    if (families.length === 0) return async () => {};
    const subscription = new NatsSubscription({ module, stream: this.#stream, families, receive, clock, log });
    this.#subscriptions.add(subscription);
    if (this.#session) subscription.begin(this.#session);
    return async () => {
      await subscription.leave();
      this.#subscriptions.delete(subscription);
    };
  }

  /** Counts the waiting events. Before server 2.10, also counts other events until a module with several types has skipped them. */
  async backlog(module: string): Promise<number> {
    if (this.#parts.subscriptions.families(module).length === 0) return 0;
    const session = await this.#reach();
    const consumer = await session.consumer(module).catch((error) => {
      throw this.#reachability.refusal(error);
    });
    return consumer.num_pending + consumer.num_ack_pending;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.cut();
    const session = this.#session;
    if (!session) return;
    await answerWithin(this.#parts.clock, closingMs, session.connection.flush()).catch(() => {});
    session.end(new Error('the bus was closed'));
    await session.ended;
  }

  async #publish({ client }: NatsSession, { id, type, json }: EncodedEvent): Promise<void> {
    const described = headers();
    described.set('Content-Type', 'application/cloudevents+json');
    await client.publish(`${this.#stream}.${type}`, json, { msgID: id, headers: described });
  }

  /** Resolves with the current session, or with one that opens in time. */
  async #reach(): Promise<NatsSession> {
    if (this.#session) return this.#session;
    return answerWithin(this.#parts.clock, patienceMs, this.#opening).catch((error) => {
      throw this.#reachability.refusal(error);
    });
  }

  async #stayConnected(): Promise<void> {
    const { url, subscriptions, clock } = this.#parts;
    for (let failures = 0; !this.#closed; ) {
      const since = clock.now();
      try {
        this.#opening = openSession(url, this.#stream, subscriptions);
        throw await this.#serve(await this.#opening);
      } catch (error) {
        this.#opening = Promise.reject(error);
        this.#opening.catch(() => {});
        if (this.#closed) return;
        this.#reachability.lost(error);
      }
      failures = clock.now() - since > steadyMs ? 0 : failures + 1;
      await pause(clock, Math.min(longestBackOffMs, 50 * 2 ** failures));
    }
  }

  /** Serves a session. Resolves with the reason when it has ended. */
  async #serve(session: NatsSession): Promise<unknown> {
    if (this.#closed) session.end(new Error('the bus was closed'));
    this.#reachability.reached();
    this.#session = session;
    for (const subscription of this.#subscriptions) subscription.begin(session);
    const why = await session.ended;
    this.#session = undefined;
    return why;
  }
}

/** Tells whether the server can never store the event, so that a retry is useless. */
function isTheEventsFault(error: unknown): boolean {
  return error instanceof InvalidArgumentError || (error instanceof JetStreamApiError && error.status === 400);
}

/** Tells whether no stream stores published events: the stream is gone, or the server no longer has JetStream. */
function isNowhere(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof RequestError && error.cause.isNoResponders();
}
