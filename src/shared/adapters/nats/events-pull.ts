import { createInbox, type Msg, type NatsConnection, nanos, type Subscription } from '@nats-io/transport-node';
import type { Clock } from '../../kernel/context/index.ts';
import { inHand, pause } from '../../kernel/events/index.ts';

const askedAtOnce = 64 * inHand;
const askedForMs = 1_000;
const silentMs = 10_000;

/** An event as a consumer handed it out, to be answered by whoever took it. */
export class HandedOut {
  /** The same however often it is handed out, and only then: a stream that was lost begins to count anew. */
  readonly id: string;
  /** By which events of one stream are in order. */
  readonly sequence: number;
  /** How often it was handed out, this time included. */
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

  /** It is in hand still, so that it is not handed out again. */
  stillInHand(): void {
    this.message.respond('+WPI');
  }

  /** It may be handed out again at once. */
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
  /** There is nothing more to come, for a reason that a new connection may mend. */
  readonly ended: (why: Error) => void;
}

/**
 * Has a consumer hand out its events, as long as the connection lasts; how much may be in hand is the consumer's limit. It asks
 * for many at a time and for a second, and then again. Unlike the library's own, it can leave without losing what is on its
 * way: it hears out what it asked for.
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

  /** Ends when the server has fallen silent, though the connection is there: it may be another one that has the consumer. */
  check(): void {
    const { clock, ended } = this.#parts;
    if (clock.now() - this.#heardAt > silentMs) ended(new Error('it has fallen silent'));
  }

  /**
   * Asks for no more; resolves when all that it asked for has arrived. A server that does not say so is waited for no longer than twice
   * the time that was asked for.
   */
  async leave(): Promise<void> {
    this.#leaving = true;
    await Promise.race([this.#subscription.closed, pause(this.#parts.clock, 2 * askedForMs)]);
    this.#subscription.unsubscribe();
  }

  /** Asks for no more, and what is on its way is lost until its time is up. */
  cut(): void {
    this.#subscription.unsubscribe();
  }

  /** Resolves when the server has what it was told, or is gone. */
  async settled(): Promise<void> {
    const { connection } = this.#parts;
    // The client leaves one who waits for this waiting when the connection ends.
    await Promise.race([connection.flush(), connection.closed()]).catch(() => {});
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
