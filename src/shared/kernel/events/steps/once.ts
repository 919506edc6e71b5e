import { sql } from 'drizzle-orm';
import type { StepOf } from '../../calls/index.ts';
import { type Clock, crashPoint } from '../../context/index.ts';
import { prepared, rowsChanged, type Unit } from '../../database/index.ts';
import { refusal } from '../../errors/index.ts';
import type { Envelope } from '../envelope.ts';
import type { RetryQueue } from '../retry-queue.ts';
import { asNotTaken, type Effect, NotTaken } from '../subscribed.ts';
import { eventTables } from '../tables.ts';

/** An event that a subscriber has received. */
export interface ReceivedEvent {
  readonly envelope: Envelope;
  /** Set when the bus has delivered the event as often as it may: says why. The event becomes a dead letter without another attempt. */
  readonly exhausted: string | undefined;
}

export type ReceiveStep = StepOf<ReceivedEvent>;

const remember = prepared((unit) => {
  const { inbox } = eventTables(unit);
  return unit.db
    .insert(inbox)
    .values({ eventId: sql.placeholder('id'), receivedAt: sql.placeholder('at') })
    .onConflictDoNothing()
    .prepare();
});

/** Remembers an event if no event of its key waits in the retry queue. Uses one statement, because it runs for every event. */
const rememberNext = prepared((unit) => {
  const { inbox, retryQueue } = eventTables(unit);
  const unlessKeyWaits = sql`select ${sql.placeholder('id')}, ${sql.placeholder('at')}
    where not exists (select 1 from ${retryQueue} where ${retryQueue.key} = ${sql.placeholder('key')} and ${retryQueue.state} in ('pending', 'failed'))`;
  return unit.db.insert(inbox).select(unlessKeyWaits).onConflictDoNothing().prepare();
});

interface OnceDependencies<U extends Unit> {
  readonly module: string;
  readonly clock: Clock;
  readonly work: <T>(task: (unit: U) => Promise<T>) => Promise<T>;
  readonly retryQueue: RetryQueue<U>;
  /** The rest of the road, in the unit of work of the effect. */
  readonly effect: (effect: Effect<U>) => Promise<void>;
}

/**
 * Gives an event its effect once: the same commit records the event's id. The event goes into the retry queue when an earlier event of
 * its key waits there, or when the handler fails. The last step of its part.
 */
export function once<U extends Unit>({ module, clock, work, retryQueue, effect }: OnceDependencies<U>): ReceiveStep {
  return async ({ envelope, exhausted }) => {
    const { id, type, partitionkey: key } = envelope;
    const taking = work(async (unit) => {
      const at = clock.now();
      const isNext = !exhausted && (await rowsChanged(rememberNext(unit), { id, key, at })) > 0;
      if (!isNext && !(await isFirstTime(unit, id, at))) return;
      if (exhausted) throw new NotTaken(refusal('invalid-input', exhausted));
      if (isNext) await effect({ envelope, unit });
      else await retryQueue.add(unit, envelope, at);
      crashPoint('inbox', module, type, 'handled');
    });
    await taking.catch(async (error: unknown) => {
      const failure = asNotTaken(error);
      if (!failure) throw error;
      await work(async (unit) => {
        const at = clock.now();
        if (await isFirstTime(unit, id, at)) await retryQueue.add(unit, envelope, at, failure);
      });
    });
    crashPoint('inbox', module, type, 'committed');
  };
}

/** Records the id of an event with the commit of `unit`. Returns whether it was new. */
export async function isFirstTime(unit: Unit, id: string, at: number): Promise<boolean> {
  return (await rowsChanged(remember(unit), { id, at })) > 0;
}
