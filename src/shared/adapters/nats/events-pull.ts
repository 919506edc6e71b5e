import { createInbox, type Msg, type NatsConnection, nanos, type Subscription } from '@nats-io/transport-node';
import { type Clock, pause } from '../../kernel/context/index.ts';
import { maxInFlight } from '../../kernel/ports/index.ts';
import { flushed } from './connection.ts';

const askedAtOnce = 64 * maxInFlight;
const askedForMs = 1_000;
const silentMs = 10_000;

/** An event that a consumer has handed out. Its receiver must answer it. */
export class HandedOut {
  /** Identifies the event across redeliveries. It includes the time of storage, because a lost stream restarts its count. */
  readonly id: string;
  /** Orders the events of one stream. */
  readonly sequence: number;
  /** Number of deliveries, including this one. */
  readonly times: number;
  private readonly message: Msg;

  constructor(message: Msg) {
    this.message = message;
    // $JS.ACK.<stream>.<consumer>.<times>.<sequence>.<…>.<stored at>.<…>; some servers put domain and account before the stream.
    const tokens = message.reply!.split('.');
    const [times, sequence, , storedAt] = tokens.slice(tokens.length === 9 ? 4 : 6);
    this.id = `${sequence} of ${storedAt}`;
    this.sequence = Number(sequence);
    this.times = Number(times);
  }

  get subject(): string {
    return this.message.subject;
  }

  get text(): string {
    return this.message.string();
  }

  acknowledge(): void {
    this.message.respond('+ACK');
  }

  /** Reports that the event is still in progress, so that the server does not redeliver it. */
  stillInHand(): void {
    this.message.respond('+WPI');
  }

  /** Returns the event to the server, which may redeliver it at once. */
  giveBack(): void {
    this.message.respond('-NAK');
  }
}

export interface PullDependencies {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly consumer: string;
  readonly clock: Clock;
  readonly arrived: (event: HandedOut) => void;
  /** Called when no more events can arrive. A new connection may fix the reason. */
  readonly ended: (why: Error) => void;
}

/**
 * Pulls events from a consumer while the connection lasts. The consumer limits the number of unacknowledged events. Each request asks
 * for many events and is valid for a second; then the next request follows. Unlike the library's own pull, it can leave without
 * losing events on their way: it waits until the current request is complete.
 */
export class Pull {
  readonly #parts: PullDependencies;
  readonly #subscription: Subscription;
  #heardAt: number;
  #asked = 0;
  #leaving = false;

  constructor(parts: PullDependencies) {
    this.#parts = parts;
    this.#heardAt = parts.clock.now();
    const callback = (error: Error | null, message: Msg) => (error ? parts.ended(error) : this.#hear(message));
    this.#subscription = parts.connection.subscribe(createInbox(), { callback });
    this.#ask();
  }

  /** Ends the pull when the server is silent although the connection is up: another server may have the consumer now. */
  check(): void {
    const { clock, ended } = this.#parts;
    if (clock.now() - this.#heardAt > silentMs) ended(new Error('it has fallen silent'));
  }

  /**
   * Stops requesting events. Resolves when the current request is complete, or after twice its validity when the server does not
   * report the end.
   */
  async leave(): Promise<void> {
    this.#leaving = true;
    await Promise.race([this.#subscription.closed, pause(this.#parts.clock, 2 * askedForMs)]);
    this.#subscription.unsubscribe();
  }

  /** Stops at once. The server redelivers events on their way after their acknowledgment timeout. */
  cut(): void {
    this.#subscription.unsubscribe();
  }

  /** Resolves when the server has received all answers, or the connection has ended. */
  async settled(): Promise<void> {
    await flushed(this.#parts.connection).catch(() => {});
  }

  #ask(): void {
    if (this.#leaving) {
      this.#subscription.unsubscribe();
      return;
    }
    const { connection, stream, consumer } = this.#parts;
    const wish = { batch: askedAtOnce, expires: nanos(askedForMs) };
    const reply = this.#subscription.getSubject();
    this.#asked = askedAtOnce;
    connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(wish), { reply });
  }

  #hear(message: Msg): void {
    const { consumer, clock, arrived, ended } = this.#parts;
    this.#heardAt = clock.now();
    if (message.reply?.startsWith('$JS.ACK.')) {
      arrived(new HandedOut(message));
      this.#asked -= 1;
      if (this.#asked === 0) this.#ask();
      return;
    }
    const { code, description } = message.headers ?? { code: 0, description: 'an answer without a status' };
    if (code === 408) this.#ask();
    else ended(new Error(`the consumer ${consumer} ended: ${description}`));
  }
}
