import { type Clock, pause, withinLimit } from '../context/index.ts';
import { type Bus, InOrder, type Receive, type SubscriptionMap } from '../events/index.ts';
import { FailureLog, type Log } from '../telemetry/index.ts';

/** The dependencies of a broker's bus. */
export interface BrokerDependencies {
  /** Such as `amqp://user:secret@broker:5672?namespace=shop`. */
  readonly url: URL;
  readonly subscriptions: SubscriptionMap;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens the bus of a broker, which need not answer yet. */
export type OpenBus = (parts: BrokerDependencies) => Promise<Bus>;

/** Maximum number of events in flight for one subscriber. */
export const maxInFlight = 256;

/**
 * After this many deliveries, an event is suspected to end the process that handles it. The subscriber then handles it alone, so that the end of the
 * process has one possible cause.
 */
export const suspectTimes = 4;

/** Maximum time that the events behind a suspect wait for it, in milliseconds. */
export const suspectMs = 10_000;

/** Maximum number of deliveries of the first event in flight. After that, the event becomes a dead letter. */
export const maxDeliveries = 20;

/** Returns why an event becomes a dead letter at delivery number `times`, if it does. */
export function whyExhausted(times: number): string | undefined {
  if (times <= maxDeliveries) return undefined;
  return `delivery is exhausted: ${times - 1} attempts, and the subscriber ended in each of them`;
}

/**
 * Passes a broker's events to a module, in order per key, and retries each event until the module takes it. Meanwhile the broker
 * keeps the event. So no event overtakes it, and no more events arrive than the module can take.
 */
export class RetryingReceiver {
  readonly #inOrder = new InOrder();
  #retryingStopped = false;
  #left = false;

  readonly #failures: FailureLog;
  private readonly receive: Receive;
  private readonly parts: { readonly clock: Clock; readonly log: Log };

  constructor(receive: Receive, parts: { readonly clock: Clock; readonly log: Log }) {
    this.receive = receive;
    this.parts = parts;
    this.#failures = new FailureLog(parts.log, parts.clock);
  }

  /** Retries nothing from now on. Leaves an event that fails now, and all events not yet begun, to the next subscriber. */
  stopRetrying(): void {
    this.#retryingStopped = true;
  }

  /** Resolves with whether the module took the event: `false` when `stopped` or `stopRetrying` ended the attempts. */
  take(event: unknown, stopped: () => boolean, exhausted?: string): Promise<boolean> {
    const { partitionkey: key } = (event ?? {}) as { partitionkey?: unknown };
    return this.#inOrder.run(typeof key === 'string' ? key : '', () => this.#retry(event, stopped, exhausted));
  }

  /** Resolves when nothing is in flight. */
  idle(): Promise<void> {
    return this.#inOrder.idle();
  }

  async #retry(event: unknown, stopped: () => boolean, exhausted?: string): Promise<boolean> {
    const { clock } = this.parts;
    for (let delayMs = 50; !stopped() && !this.#left; delayMs = Math.min(2_000, delayMs * 2)) {
      try {
        await this.receive(event, exhausted);
        return true;
      } catch (error) {
        this.#left ||= this.#retryingStopped;
        if (stopped() || this.#left) break;
        const { id, type } = (event ?? {}) as { id?: unknown; type?: unknown };
        this.#failures.add({ message: 'an event could not be taken in; trying again', error, fields: { id, type } });
        await pause(clock, delayMs);
      }
    }
    return false;
  }
}

/** Time limit of a request to a broker, in milliseconds. */
export const patienceMs = 5_000;

/** Resolves with the answer; rejects when it takes longer than `limitMs`. */
export function answerWithin<T>(clock: Clock, limitMs: number, answer: Promise<T>): Promise<T> {
  const late = () => new Error(`no answer within ${limitMs / 1_000} seconds`);
  return withinLimit(clock, limitMs, late, () => answer);
}
