import { JetStreamApiError } from '@nats-io/jetstream';
import { headers, InvalidArgumentError, RequestError } from '@nats-io/transport-node';
import { namespaceOf, shownAddress } from '../../kernel/calls/index.ts';
import {
  type BrokerDependencies,
  type Bus,
  type EncodedEvent,
  InOrder,
  patienceMs,
  pause,
  Reachability,
  type Receive,
  within,
} from '../../kernel/events/index.ts';
import { type NatsSession, openSession } from './events-session.ts';
import { NatsSubscription } from './events-subscription.ts';

const longestBackOffMs = 2_000;
const closingMs = 1_000;
const steadyMs = 10_000;

/** The bus over NATS JetStream, from server 2.9 on. Nothing waits for the server: it is connected to in the background, for ever. */
export function openNats(parts: BrokerDependencies): Bus {
  return new NatsBus(parts);
}

/**
 * One stream keeps all events, each under `<namespace>.<its type>`; every module that subscribes has a durable consumer, from
 * when any process declared it first.
 */
class NatsBus implements Bus {
  readonly #parts: BrokerDependencies;
  readonly #stream: string;
  readonly #reachability: Reachability;
  readonly #subscriptions = new Set<NatsSubscription>();
  /** Resolves when the connection that is being made is there; rejects when there is none. */
  #opening!: Promise<NatsSession>;
  #session: NatsSession | undefined;
  #closed = false;

  constructor(parts: BrokerDependencies) {
    this.#parts = parts;
    this.#stream = namespaceOf(parts.url);
    this.#reachability = new Reachability(shownAddress(parts.url), parts.log);
    void this.#stayConnected();
  }

  recipients(): readonly string[] {
    return ['nats'];
  }

  /** Those of one key one after the other, so that none is stored behind the next one when it must be repeated. */
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

  /** Before server 2.10, what a module of several types does not subscribe to counts as well until it was skipped. */
  async held(module: string): Promise<number> {
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
    await within(this.#parts.clock, closingMs, session.connection.flush()).catch(() => {});
    session.end(new Error('the bus was closed'));
    await session.ended;
  }

  async #publish({ client }: NatsSession, { id, type, json }: EncodedEvent): Promise<void> {
    const described = headers();
    described.set('Content-Type', 'application/cloudevents+json');
    await client.publish(`${this.#stream}.${type}`, json, { msgID: id, headers: described });
  }

  /** The session there is, or that comes in time. */
  async #reach(): Promise<NatsSession> {
    if (this.#session) return this.#session;
    return within(this.#parts.clock, patienceMs, this.#opening).catch((error) => {
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

  /** Resolves when the session has ended, with the reason. */
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

/** It can never be stored, however often it is tried. */
function isTheEventsFault(error: unknown): boolean {
  return error instanceof InvalidArgumentError || (error instanceof JetStreamApiError && error.status === 400);
}

/** Nothing keeps what is published: the stream is gone, or the server no longer has JetStream. */
function isNowhere(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof RequestError && error.cause.isNoResponders();
}
