import { hash } from 'node:crypto';
import { composeSteps } from '../calls/index.ts';
import type { Clock } from '../context/index.ts';
import type { Database, Unit } from '../database/index.ts';
import { FailureLog, type KernelListener, type Log } from '../telemetry/index.ts';
import { maximumEventBytes, readEnvelope } from './envelope.ts';
import { HandlerEnded, InHand } from './in-hand.ts';
import { InOrder } from './in-order.ts';
import { RetryQueue } from './retry-queue.ts';
import { eventRoad } from './road.ts';
import { isFirstTime, type ReceivedEvent } from './steps/once.ts';
import { type Effect, NotTaken, Subscribed, type Subscription } from './subscribed.ts';

export interface InboxDependencies<U extends Unit> {
  module: string;
  subscriptions: readonly Subscription<U>[];
  database: Database;
  work: <T>(task: (unit: U) => Promise<T>) => Promise<T>;
  clock: Clock;
  log: Log;
  listener?: KernelListener | undefined;
}

const keptCharacters = 64 * 1024;

/**
 * Applies each event once, in order per key: it stores the event's id in the same unit of work as the effect. An event that the
 * module cannot handle now waits in the retry queue, and later events of its key wait behind it. Other keys continue. It is a failure when the
 * handler throws, takes too long, or ends its process.
 */
export class Inbox<U extends Unit> {
  readonly #parts: InboxDependencies<U>;
  readonly #walk: (event: ReceivedEvent) => Promise<void>;
  readonly #retryQueue: RetryQueue<U>;
  readonly #inHand: InHand;

  constructor(parts: InboxDependencies<U>) {
    this.#parts = parts;
    const { module, clock, log, listener } = parts;
    const subscribed = new Subscribed(module, parts.subscriptions, log);
    const inHand = new InHand(parts.database.crashNote);
    const inOrder = new InOrder();
    const around = { module, clock, inHand, subscribed, listener };
    const effect = composeSteps<typeof around, Effect<U>, void>(eventRoad.effect, around);
    const own = { ...parts, work: this.#work, failures: new FailureLog(log, clock) };
    const retryQueue = new RetryQueue(own, inOrder, effect);
    this.#walk = composeSteps(eventRoad.receive, { module, clock, inOrder, retryQueue, effect, work: this.#work });
    [this.#inHand, this.#retryQueue] = [inHand, retryQueue];
  }

  /** Counts an attempt for an event that ended an earlier process, and starts the retry queue. */
  async start(): Promise<void> {
    await this.#countEnded();
    await this.#retryQueue.start();
  }

  /** Retries due events at once, for example when an operator asks for it. */
  wake(): void {
    this.#retryQueue.wake();
  }

  /** Starts no further retry; resolves when all work in flight is recorded. */
  stop(): Promise<void> {
    return this.#retryQueue.stop();
  }

  /**
   * Resolves when the event has taken effect or is in the retry queue, now or from an earlier delivery: the sender may then
   * forget it. Rejects when the inbox could write neither. `exhausted` is the reason why the bus has exhausted its deliveries: the
   * event then becomes a dead letter, unless the inbox already has it.
   */
  async receive(event: unknown, exhausted?: string): Promise<void> {
    const { envelope, issue } = readEnvelope(event);
    if (!envelope) return this.#putAside(event, issue);
    await this.#walk({ envelope, exhausted });
  }

  /** Runs a unit of work that may apply an event. Repeats it once if another process on the same data ended in a handler meanwhile. */
  readonly #work = async <T>(task: (unit: U) => Promise<T>): Promise<T> => {
    try {
      return await this.#parts.work(task);
    } catch (error) {
      if (!(error instanceof HandlerEnded)) throw error;
      await this.#countEnded();
      return this.#parts.work(task);
    }
  };

  /** Counts one more failure for an event that ended its process. The event waits in the retry queue or becomes a dead letter. */
  async #countEnded(): Promise<void> {
    const { clock, work, database } = this.#parts;
    if (database.crashNote?.isEmpty !== false) return;
    await work(async (unit) => {
      const ended = this.#inHand.takeEnded();
      if (!ended) return;
      const failure = new NotTaken(new Error('its process ended while its handler ran'));
      const now = clock.now();
      if (await isFirstTime(unit, ended.id, now)) await this.#retryQueue.add(unit, ended, now, failure);
      else await this.#retryQueue.failed(unit, ended.id, failure);
    });
  }

  /** Keeps a message that is not an event as a dead letter, with the reason. */
  async #putAside(event: unknown, issue: { path: PropertyKey[]; message: string }): Promise<void> {
    const { clock, work } = this.#parts;
    const text = typeof event === 'string' ? event : (JSON.stringify(event) ?? 'nothing');
    const id = `unreadable-${hash('sha256', text, 'base64url')}`;
    const where = issue.path.length ? `: ${issue.path.join('.')}` : '';
    const why = typeof event === 'string' ? whyText(event) : `it is no CloudEvent${where}: ${issue.message}`;
    await work(async (unit) => {
      const now = clock.now();
      if (await isFirstTime(unit, id, now))
        await this.#retryQueue.addUnreadable(unit, id, text.slice(0, keptCharacters), why, now);
    });
  }
}

function whyText(text: string): string {
  if (text.length <= maximumEventBytes) return 'it is not JSON, or nested too deeply';
  return `it has ${text.length} characters, over the ${maximumEventBytes} an event may have; its beginning is kept`;
}
