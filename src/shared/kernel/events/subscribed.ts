import type { Context } from '@opentelemetry/api';
import { runInContext } from '../context/index.ts';
import { type EarlierVersion, type Event, parseInput } from '../contract/index.ts';
import type { Unit } from '../database/index.ts';
import { UnitOverdue } from '../database/index.ts';
import { refusal } from '../errors/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { Envelope } from './envelope.ts';

/** A module's handler for one event. It runs in a unit of work of the module's own database. */
export interface Subscription<U extends Unit = Unit> {
  readonly event: Event;
  readonly handle: (data: never, unit: U) => Promise<void>;
}

/** An event that takes effect, in a unit of work of its subscriber. */
export interface Effect<U extends Unit = Unit> {
  readonly envelope: Envelope;
  readonly unit: U;
  /** The trace of the handler. */
  readonly trace?: Context;
}

/** Wraps a handler's refusal or failure, to tell it apart from a failure to commit. */
export class NotTaken extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('an event was not taken', { cause: reason });
    this.reason = reason;
  }
}

/** Returns the handler's failure behind an error. A unit of work that was open for too long counts as such a failure. */
export function asNotTaken(error: unknown): NotTaken | undefined {
  if (error instanceof NotTaken) return error;
  return error instanceof UnitOverdue ? new NotTaken(error) : undefined;
}

/** How to read events of one type: the current event, the earlier version to upcast from, and the handlers. */
interface Reading<U extends Unit> {
  readonly event: Event;
  readonly earlier?: EarlierVersion;
  readonly handlers: Subscription<U>['handle'][];
}

/** A module's subscriptions by type: the current versions in its contracts, and the earlier versions that it can upcast. */
export class Subscribed<U extends Unit> {
  readonly #byType = new Map<string, Reading<U>>();
  private readonly module: string;
  private readonly log: Log | undefined;

  constructor(module: string, subscriptions: readonly Subscription<U>[], log?: Log) {
    this.module = module;
    this.log = log;
    for (const { event, handle } of subscriptions) {
      this.#add(event.type, { event, handlers: [handle] });
      for (const earlier of event.earlier) {
        this.#add(`${event.module}.${event.name}.v${earlier.version}`, { event, earlier, handlers: [handle] });
      }
    }
  }

  /** Checks the event, brings its data up to the current version, and calls the handlers. */
  async handle({ envelope, unit, trace }: Effect<U>): Promise<void> {
    const reading = this.#byType.get(envelope.type);
    if (!reading) {
      const known = [...this.#byType.keys()].join(', ') || 'none';
      throw refusal('invalid-input', `${this.module} does not know ${envelope.type}; it knows ${known}`);
    }
    const { event, earlier, handlers } = reading;
    if (envelope.source !== `/modules/${event.module}`)
      throw refusal(
        'invalid-input',
        `${envelope.type} comes from /modules/${event.module}, not from ${envelope.source}`,
      );
    const upcast = earlier ? earlier.upcast(parseInput(earlier.data, envelope.data) as never) : envelope.data;
    const data = parseInput(event.data, upcast) as never;
    const context = { requestId: envelope.id, trace, caller: this.module, deadline: Number.POSITIVE_INFINITY };
    await runInContext(context, async () => {
      for (const handle of handlers) await handle(data, unit);
      this.log?.debug({ type: envelope.type, event: envelope.id }, 'an event was handled');
    });
  }

  #add(type: string, reading: Reading<U>): void {
    const known = this.#byType.get(type);
    if (known) known.handlers.push(...reading.handlers);
    else this.#byType.set(type, reading);
  }
}
