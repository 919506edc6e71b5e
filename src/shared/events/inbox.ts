import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { Clock } from '../clock/index.ts';
import { plainly, safeParse } from '../contract/index.ts';
import { type Database, prepared, type Unit } from '../data/index.ts';
import { refusal } from '../errors/index.ts';
import { reach } from '../faults/index.ts';
import type { Log } from '../observability/index.ts';
import { type Envelope, envelopeSchema, maximumEventBytes } from './envelope.ts';
import { HeldBack } from './held-back.ts';
import { InOrder } from './in-order.ts';
import { NotTaken, Subscribed, type Subscription } from './subscribed.ts';
import { eventTables } from './tables.ts';

export interface InboxParts<U extends Unit> {
  module: string;
  subscriptions: readonly Subscription<U>[];
  database: Database;
  work: <T>(task: (unit: U) => Promise<T>) => Promise<T>;
  clock: Clock;
  log: Log;
}

const keptCharacters = 64 * 1024;

const remember = prepared((unit) => {
  const { inbox } = eventTables(unit);
  return unit.db
    .insert(inbox)
    .values({ eventId: sql.placeholder('id'), receivedAt: sql.placeholder('at') })
    .onConflictDoNothing()
    .returning({ id: inbox.eventId })
    .prepare();
});

/**
 * Makes each event happen once, in order per key: its id is written down in the same unit as its effect. What cannot be
 * taken now is held back with what comes after it under the same key, and tried again; other keys go on.
 */
export class Inbox<U extends Unit> {
  readonly #parts: InboxParts<U>;
  readonly #subscribed: Subscribed<U>;
  readonly #inOrder = new InOrder();
  readonly #heldBack: HeldBack<U>;

  constructor(parts: InboxParts<U>) {
    this.#parts = parts;
    this.#subscribed = new Subscribed(parts.module, parts.subscriptions);
    this.#heldBack = new HeldBack(parts, this.#inOrder, (envelope, unit) => this.#subscribed.apply(envelope, unit));
  }

  /** Takes up what an earlier run held back. */
  start(): Promise<void> {
    return this.#heldBack.start();
  }

  /** Tries at once what is due, as after a person asked for it. */
  wake(): void {
    this.#heldBack.wake();
  }

  /** Tries nothing more by itself; resolves when what was under way is recorded. */
  stop(): Promise<void> {
    return this.#heldBack.stop();
  }

  /**
   * Resolves when the event has taken effect or is held back, now or from an earlier delivery: whoever brought it may forget it.
   * Rejects when neither could be written. What its bus `gaveUp`, and why, is a dead letter unless it has taken effect before.
   */
  async receive(event: unknown, gaveUp?: string): Promise<void> {
    const { data: envelope, error } = safeParse(envelopeSchema, event, { error: plainly });
    if (!envelope) return this.#putAside(event, error.issues[0]);
    await this.#inOrder.run(envelope.partitionkey, () => this.#take(envelope, gaveUp));
  }

  async #take(envelope: Envelope, gaveUp: string | undefined): Promise<void> {
    const { clock, work, module } = this.#parts;
    const { id, type, partitionkey: key } = envelope;
    const taking = work(async (unit) => {
      const now = clock.now();
      if (!(await this.#firstTime(unit, id, now))) return;
      if (gaveUp) throw new NotTaken(refusal('invalid-input', gaveUp));
      if (await this.#heldBack.holds(unit, key)) await this.#heldBack.add(unit, envelope, now);
      else await this.#subscribed.apply(envelope, unit);
      reach('inbox', module, type, 'handled');
    });
    await taking.catch(async (error: unknown) => {
      if (!(error instanceof NotTaken)) throw error;
      await work(async (unit) => {
        const now = clock.now();
        if (await this.#firstTime(unit, id, now)) await this.#heldBack.add(unit, envelope, now, error);
      });
    });
    reach('inbox', module, type, 'committed');
  }

  /** What is no event at all: a dead letter from the start, with what is wrong with it. */
  async #putAside(event: unknown, issue: { path: PropertyKey[]; message: string } | undefined): Promise<void> {
    const { clock, work } = this.#parts;
    const text = typeof event === 'string' ? event : JSON.stringify(event);
    const id = `unreadable-${createHash('sha256').update(text).digest('base64url')}`;
    const where = issue?.path.length ? `: ${issue.path.join('.')}` : '';
    const why = typeof event === 'string' ? whyText(event) : `it is no CloudEvent${where}: ${issue?.message}`;
    await work(async (unit) => {
      const now = clock.now();
      if (await this.#firstTime(unit, id, now))
        await this.#heldBack.addUnreadable(unit, id, text.slice(0, keptCharacters), why, now);
    });
  }

  async #firstTime(unit: Unit, id: string, at: number): Promise<boolean> {
    return (await remember(unit).execute({ id, at })).length > 0;
  }
}

function whyText(text: string): string {
  if (text.length <= maximumEventBytes) return 'it is not JSON, or nested too deeply';
  return `it has ${text.length} characters, over the ${maximumEventBytes} an event may have; its beginning is kept`;
}
