import type { Clock } from '../context/index.ts';
import { messageOf, refusal } from '../errors/index.ts';
import { FailureLog, type Log } from '../telemetry/index.ts';
import type { Receive, SubscriptionMap } from './bus.ts';
import { InOrder } from './in-order.ts';

/** What a broker's bus is made of. */
export interface BrokerDependencies {
  /** Such as `amqp://user:secret@broker:5672?namespace=shop`. */
  readonly url: URL;
  readonly subscriptions: SubscriptionMap;
  readonly clock: Clock;
  readonly log: Log;
}

/** Under which names brokers stand in an outbox as recipients. */
export const brokerNames: readonly string[] = ['amqp', 'kafka', 'nats'];

/** Events that one subscriber may have in hand at a time. */
export const inHand = 256;

/**
 * From so many times on that it was handed out, an event may be what ends the process that takes it. It is taken alone, so that
 * of all that was in hand only the first, in the broker's order, can have done so.
 */
export const suspectTimes = 4;

/** For so long what is behind a suspect waits for it. */
export const suspectMs = 10_000;

/** More often than this, the first in hand is not handed to its module: it becomes a dead letter. */
export const maxDeliveries = 20;

/** Why an event that is handed out for the `times`th time becomes a dead letter, if it does. */
export function whyExhausted(times: number): string | undefined {
  if (times <= maxDeliveries) return undefined;
  return `the bus gave it up: handed out ${times - 1} times, and never taken before the subscriber was gone`;
}

/** Says once when a broker cannot be reached, and once when it can again. */
export class Reachability {
  #reached: boolean | undefined;
  private readonly address: string;
  private readonly log: Log;

  constructor(address: string, log: Log) {
    this.address = address;
    this.log = log;
  }

  lost(error: unknown): void {
    if (this.#reached !== false) {
      const why = messageOf(error);
      const about = { broker: this.address, why, cure: 'start the broker, or correct its address' };
      this.log.error(about, 'the broker cannot be reached; events wait, and it is tried again');
    }
    this.#reached = false;
  }

  reached(): void {
    if (this.#reached === false) this.log.warn({ broker: this.address }, 'the broker is reached again');
    this.#reached = true;
  }

  /** What a delivery meets meanwhile: the relay waits and tries again, and nothing is counted against the event. */
  refusal(error?: unknown): Error {
    return refusal('unavailable', `the broker ${this.address} cannot be reached`, {}, { cause: error });
  }
}

/**
 * Has a module take what a broker hands out, in order per key, each event again and again until it is taken: it stays in the
 * broker's hand meanwhile, so that nothing overtakes it and no more comes than can be taken.
 */
export class Insistence {
  readonly #inOrder = new InOrder();
  #tryNoMore = false;
  #left = false;

  readonly #failures: FailureLog;
  private readonly receive: Receive;
  private readonly parts: { readonly clock: Clock; readonly log: Log };

  constructor(receive: Receive, parts: { readonly clock: Clock; readonly log: Log }) {
    this.receive = receive;
    this.parts = parts;
    this.#failures = new FailureLog(parts.log, parts.clock);
  }

  /** Tries nothing again from now on: what fails now is left to the next, with all that nobody has begun with. */
  tryNoMore(): void {
    this.#tryNoMore = true;
  }

  /** Resolves with whether the event was taken: not, when `stopped` says so. */
  take(event: unknown, stopped: () => boolean, gaveUp?: string): Promise<boolean> {
    const { partitionkey: key } = (event ?? {}) as { partitionkey?: unknown };
    return this.#inOrder.run(typeof key === 'string' ? key : '', () => this.#insist(event, stopped, gaveUp));
  }

  /** Resolves when nothing is in flight. */
  idle(): Promise<void> {
    return this.#inOrder.idle();
  }

  async #insist(event: unknown, stopped: () => boolean, gaveUp?: string): Promise<boolean> {
    const { clock } = this.parts;
    for (let delayMs = 50; !stopped() && !this.#left; delayMs = Math.min(2_000, delayMs * 2)) {
      try {
        await this.receive(event, gaveUp);
        return true;
      } catch (error) {
        this.#left ||= this.#tryNoMore;
        if (stopped() || this.#left) break;
        const { id, type } = (event ?? {}) as { id?: unknown; type?: unknown };
        this.#failures.add({ message: 'an event could not be taken in; trying again', error, fields: { id, type } });
        await pause(clock, delayMs);
      }
    }
    return false;
  }
}

/** For so long whoever asks something of a broker waits. */
export const patienceMs = 5_000;

/** What `task` comes to; rejects when that takes longer than `limitMs`. */
export async function within<T>(clock: Clock, limitMs: number, task: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(limitMs, () => late.reject(new Error(`no answer within ${limitMs / 1_000} seconds`)));
  try {
    return await Promise.race([task, late.promise]);
  } finally {
    cancel();
  }
}

export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}
