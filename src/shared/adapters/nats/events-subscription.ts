import { type Cancel, type Clock, pause } from '../../kernel/context/index.ts';
import { familyOf, parseEvent, type Receive } from '../../kernel/events/index.ts';
import { RetryingReceiver, suspectMs, suspectTimes, whyExhausted } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { type HandedOut, Pull } from './events-pull.ts';
import { ackWaitMs, type NatsSession } from './events-session.ts';

const lookMs = 100;

export interface SubscriptionDependencies {
  readonly module: string;
  readonly stream: string;
  readonly families: readonly string[];
  readonly receive: Receive;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Takes the events of one module from its consumer, over one session after another. A session begins when no other process pulls, and
 * first catches up. New events arrive at once; events of a stopped process arrive only after their acknowledgment timeout. So
 * the subscription takes no event before it holds all events that the server counts as handed out. It begins after ten seconds at
 * the latest: an event missing by then may be gone from the stream. If it still arrives, it arrives late.
 */
export class NatsSubscription {
  readonly #parts: SubscriptionDependencies;
  readonly #receiver: RetryingReceiver;
  /** Unacknowledged events of this subscription, each in its last delivery. */
  readonly #inFlight = new Map<string, HandedOut>();
  /** Events of `#inFlight` whose processing has not begun. */
  #kept: HandedOut[] = [];
  #session: NatsSession | undefined;
  #pull: Pull | undefined;
  #caughtUp = false;
  #leaving = false;
  #cut = false;
  #cancelBeat: Cancel;

  constructor(parts: SubscriptionDependencies) {
    this.#parts = parts;
    this.#receiver = new RetryingReceiver(parts.receive, parts);
    this.#cancelBeat = this.#beat();
  }

  begin(session: NatsSession): void {
    if (this.#leaving) return;
    this.#session = session;
    this.#caughtUp = false;
    this.#serve(session).catch(session.end);
  }

  /** Stops taking events. Resolves when the events in flight are complete, and the server has their acknowledgments. */
  async leave(): Promise<void> {
    this.#leaving = true;
    await this.#pull?.leave();
    for (const event of this.#kept.splice(0)) this.#giveBack(event);
    this.#receiver.stopRetrying();
    await this.#receiver.idle();
    for (const event of [...this.#inFlight.values()]) this.#giveBack(event);
    this.#cancelBeat();
    await this.#pull?.settled();
  }

  /** Ends at once. The server redelivers unacknowledged events to the next subscriber. */
  cut(): void {
    this.#leaving = true;
    this.#cut = true;
    this.#cancelBeat();
    this.#pull?.cut();
    for (const event of this.#inFlight.values()) this.#giveBack(event);
  }

  #arrived(event: HandedOut): void {
    const known = this.#inFlight.has(event.id);
    this.#inFlight.set(event.id, event);
    if (known) return;
    if (this.#caughtUp && !this.#leaving) void this.#take(event);
    else this.#kept.push(event);
  }

  async #serve(session: NatsSession): Promise<void> {
    const { module, stream, clock } = this.#parts;
    await this.#until(session, async () => (await session.consumer(module)).num_waiting === 0);
    if (!this.#isServedBy(session)) return;
    const { connection, end: ended } = session;
    const arrived = (event: HandedOut) => this.#arrived(event);
    this.#pull = new Pull({ connection, stream, consumer: module, clock, arrived, ended });
    const deadline = clock.now() + 2 * ackWaitMs;
    await this.#until(session, async () => (await this.#hasAll(session)) || clock.now() > deadline);
    await this.#takeKept(session);
  }

  /** Tells whether all events that the server counts as handed out are here. Ignores events that arrive during the count. */
  async #hasAll(session: NatsSession): Promise<boolean> {
    const before = [...this.#inFlight.keys()];
    const { num_ack_pending: handedOut } = await session.consumer(this.#parts.module);
    return handedOut <= before.filter((id) => this.#inFlight.has(id)).length;
  }

  async #until(session: NatsSession, holds: () => Promise<boolean>): Promise<void> {
    while (this.#isServedBy(session) && !(await holds())) await pause(this.#parts.clock, lookMs);
  }

  #isServedBy(session: NatsSession): boolean {
    return session === this.#session && !this.#leaving;
  }

  /** Takes the kept events in order. After many deliveries, an event may have crashed each process; then takes each event alone. */
  async #takeKept(session: NatsSession): Promise<void> {
    this.#kept.sort((one, other) => one.sequence - other.sequence);
    const [first] = this.#kept;
    const suspect = this.#kept.some(({ times }) => times >= suspectTimes);
    while (this.#isServedBy(session) && this.#kept.length > 0) {
      const event = this.#kept.shift()!;
      const taking = this.#take(event, event === first ? whyExhausted(event.times) : undefined);
      if (suspect) await Promise.race([taking, pause(this.#parts.clock, suspectMs)]);
    }
    this.#caughtUp = this.#isServedBy(session);
  }

  async #take(event: HandedOut, exhausted?: string): Promise<void> {
    const { stream, families } = this.#parts;
    if (!families.includes(familyOf(event.subject.slice(stream.length + 1)))) return this.#acknowledge(event);
    const taken = await this.#receiver.take(parseEvent(event.text), () => this.#cut, exhausted);
    if (taken) this.#acknowledge(event);
  }

  #acknowledge({ id }: HandedOut): void {
    this.#inFlight.get(id)?.acknowledge();
    this.#inFlight.delete(id);
  }

  #giveBack({ id }: HandedOut): void {
    this.#inFlight.get(id)?.giveBack();
    this.#inFlight.delete(id);
  }

  #beat(): Cancel {
    return this.#parts.clock.after(ackWaitMs / 4, () => {
      for (const event of this.#inFlight.values()) event.stillInHand();
      this.#pull?.check();
      this.#cancelBeat = this.#beat();
    });
  }
}
