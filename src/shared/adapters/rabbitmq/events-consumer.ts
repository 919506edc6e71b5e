import type { AsyncMessage, Channel } from 'rabbitmq-client';
import { background, type Clock, pause } from '../../kernel/context/index.ts';
import { familyOf, parseEvent, type Receive } from '../../kernel/events/index.ts';
import { maxInFlight, RetryingReceiver, suspectMs, suspectTimes, whyExhausted } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { Acknowledgments } from './events-acknowledgments.ts';
import { type Queues, whyDead } from './events-queues.ts';

export interface ConsumerDependencies {
  readonly module: string;
  readonly families: readonly string[];
  readonly queues: Queues;
  readonly receive: Receive;
  readonly clock: Clock;
  readonly log: Log;
}

interface Arrival {
  readonly message: AsyncMessage;
  /** Acknowledgments of the channel that delivered the message. */
  readonly acknowledgments: Acknowledgments;
  /** Whether the broker has dead-lettered the message. */
  readonly dead?: true;
}

const skipped = Promise.resolve(true);

/** Takes the events of one module from the broker, over one channel after another. */
export class AmqpConsumer {
  readonly #parts: ConsumerDependencies;
  readonly #receiver: RetryingReceiver;
  readonly #inFlight = new Set<Promise<void>>();
  /** Arrived events whose processing has not begun, in order. */
  readonly #arrived: Arrival[] = [];
  #taking = false;
  #acknowledgments: Acknowledgments | undefined;
  #leaving = false;

  constructor(parts: ConsumerDependencies) {
    this.#parts = parts;
    this.#receiver = new RetryingReceiver(parts.receive, parts);
  }

  /** Number of arrived events that are not complete. */
  get size(): number {
    return this.#arrived.length + this.#inFlight.size;
  }

  /** Begins to consume from `channel`, after all events in flight from an earlier channel are complete. */
  async begin(channel: Channel): Promise<void> {
    const { module, queues } = this.#parts;
    await queues.declare(channel, module);
    await Promise.all(this.#inFlight);
    const acknowledgments = new Acknowledgments(channel);
    this.#acknowledgments = acknowledgments;
    await channel.basicQos({ prefetchCount: maxInFlight });
    await channel.basicConsume({ queue: queues.of(module) }, (message) => this.#arrive({ message, acknowledgments }));
    await channel.basicConsume({ queue: queues.deadOf(module) }, (message) =>
      this.#arrive({ message, acknowledgments, dead: true }),
    );
  }

  /**
   * Stops taking events. Resolves when the events in flight are complete. Close the channel only then: otherwise the next consumer
   * would receive later events first, and break the order.
   */
  async leave(): Promise<void> {
    this.#leaving = true;
    await Promise.all(this.#inFlight);
    this.#acknowledgments?.send();
  }

  /** Collects the events of one turn of the event loop, so that the module commits them together. */
  #arrive(arrival: Arrival): void {
    this.#arrived.push(arrival);
    if (this.#taking) return;
    this.#taking = true;
    background.setImmediate(() => void this.#takeArrived());
  }

  async #takeArrived(): Promise<void> {
    for (let next = this.#arrived.shift(); next; next = this.#arrived.shift()) {
      const taking = this.#take(next);
      if (timesOf(next.message) >= suspectTimes) await Promise.race([taking, pause(this.#parts.clock, suspectMs)]);
    }
    this.#taking = false;
  }

  async #take({ message, acknowledgments, dead }: Arrival): Promise<void> {
    const stopped = () => this.#leaving || !acknowledgments.possible;
    if (stopped()) return;
    const { deliveryTag: tag } = message;
    acknowledgments.owe(tag);
    // A channel numbers its deliveries from one, so tag 1 is its first delivery.
    const exhausted = dead ? whyDead : tag === 1 ? whyExhausted(timesOf(message)) : undefined;
    const taken = this.#isForModule(message) ? this.#receiver.take(eventIn(message), stopped, exhausted) : skipped;
    const taking = taken
      .then((isTaken) => void (isTaken && acknowledgments.give(tag)))
      .finally(() => this.#inFlight.delete(taking));
    this.#inFlight.add(taking);
    await taking;
  }

  /** Tells whether the module subscribes to the event: a binding outlives its subscription. */
  #isForModule({ exchange, routingKey }: AsyncMessage): boolean {
    const { families, queues } = this.#parts;
    return exchange !== queues.events || families.includes(familyOf(routingKey));
  }
}

/** Reads the event of a message. Applies the limits of any text also to JSON that the client library has already parsed. */
function eventIn({ body }: AsyncMessage): unknown {
  if (Buffer.isBuffer(body) || typeof body === 'string') return parseEvent(body.toString());
  try {
    return parseEvent(JSON.stringify(body) ?? '');
  } catch {
    return 'JSON that is nested too deeply to be kept';
  }
}

/** Returns the number of deliveries, including this one. */
function timesOf({ headers }: AsyncMessage): number {
  return 1 + Number(headers?.['x-delivery-count'] ?? 0);
}
