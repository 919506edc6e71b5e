import type { AsyncMessage, Channel } from 'rabbitmq-client';
import { background, type Clock } from '../../kernel/context/index.ts';
import {
  asItCame,
  familyOf,
  Insistence,
  inHand,
  pause,
  type Receive,
  suspectMs,
  suspectTimes,
  whyExhausted,
} from '../../kernel/events/index.ts';
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
  /** Of the channel by which it came. */
  readonly acknowledgments: Acknowledgments;
  /** Whether the broker gave it up. */
  readonly dead?: true;
}

const skipped = Promise.resolve(true);

/** What one module takes from the broker, over one channel after another. */
export class AmqpConsumer {
  readonly #parts: ConsumerDependencies;
  readonly #insistence: Insistence;
  readonly #underWay = new Set<Promise<void>>();
  /** What nobody takes yet, in order. */
  readonly #arrived: Arrival[] = [];
  #taking = false;
  #acknowledgments: Acknowledgments | undefined;
  #leaving = false;

  constructor(parts: ConsumerDependencies) {
    this.#parts = parts;
    this.#insistence = new Insistence(parts.receive, parts);
  }

  /** How many events it has in hand. */
  get size(): number {
    return this.#arrived.length + this.#underWay.size;
  }

  /** Begins to take what comes by `channel`, once nothing is in flight that came by an earlier one. */
  async begin(channel: Channel): Promise<void> {
    const { module, queues } = this.#parts;
    await queues.declare(channel, module);
    await Promise.all(this.#underWay);
    const acknowledgments = new Acknowledgments(channel);
    this.#acknowledgments = acknowledgments;
    await channel.basicQos({ prefetchCount: inHand });
    await channel.basicConsume({ queue: queues.of(module) }, (message) => this.#arrive({ message, acknowledgments }));
    await channel.basicConsume({ queue: queues.deadOf(module) }, (message) =>
      this.#arrive({ message, acknowledgments, dead: true }),
    );
  }

  /**
   * Takes no more; resolves when what was in flight is settled. The channel must be closed then, and not before: the next
   * consumer would be given what comes after it, and order would be lost.
   */
  async leave(): Promise<void> {
    this.#leaving = true;
    await Promise.all(this.#underWay);
    this.#acknowledgments?.send();
  }

  /** What arrives in one turn of the event loop is handed over together, so that the module commits it together. */
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
    // A channel counts what it hands out from one.
    const gaveUp = dead ? whyDead : tag === 1 ? whyExhausted(timesOf(message)) : undefined;
    const taken = this.#isForModule(message) ? this.#insistence.take(eventIn(message), stopped, gaveUp) : skipped;
    const taking = taken
      .then((isTaken) => void (isTaken && acknowledgments.give(tag)))
      .finally(() => this.#underWay.delete(taking));
    this.#underWay.add(taking);
    await taking;
  }

  /** A binding outlives the subscription it was made for. */
  #isForModule({ exchange, routingKey }: AsyncMessage): boolean {
    const { families, queues } = this.#parts;
    return exchange !== queues.events || families.includes(familyOf(routingKey));
  }
}

/** The client library has parsed already what calls itself JSON: it is held to the same limits as any other text. */
function eventIn({ body }: AsyncMessage): unknown {
  if (Buffer.isBuffer(body) || typeof body === 'string') return asItCame(body.toString());
  try {
    return asItCame(JSON.stringify(body) ?? '');
  } catch {
    return 'JSON that is nested too deeply to be kept';
  }
}

/** How often it was handed out, this time included. */
function timesOf({ headers }: AsyncMessage): number {
  return 1 + Number(headers?.['x-delivery-count'] ?? 0);
}
