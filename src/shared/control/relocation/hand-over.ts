import { messageOf } from '../../kernel/errors/index.ts';
import type { LeadTaken, SagasHandedOver } from '../../kernel/module/index.ts';
import type { Replica } from '../supervisor/index.ts';
import { unlessAborted } from './journal.ts';

/** Sagas that wait for something longer go on elsewhere. */
export const sagasWithinMs = 10_000;

/**
 * What moved with the module. Timers and sagas must be as many after as before; of the events that waited or were held back,
 * whoever leads next may have dealt with some before they are counted again.
 */
export interface Moved {
  /** Calls that were in flight where it was, and have been answered there. */
  callsDrained: number;
  /** For how long no replica delivered events, took any in order or ran timers. */
  gapMs: number;
  readonly events: { pendingBefore: number; pendingAfter: number; heldBefore: number; heldAfter: number };
  readonly timers: { before: number; after: number };
  readonly sagas: { underWay: number; ended: number; handedOver: number; found: number };
}

export function nothingMoved(): Moved {
  return {
    callsDrained: 0,
    gapMs: 0,
    events: { pendingBefore: 0, pendingAfter: 0, heldBefore: 0, heldAfter: 0 },
    timers: { before: 0, after: 0 },
    sagas: { underWay: 0, ended: 0, handedOver: 0, found: 0 },
  };
}

interface Sides {
  readonly going: readonly Replica[];
  readonly remaining: readonly Replica[];
  /** Whether those that remain may be of another release. */
  readonly anotherRelease: boolean;
}

/**
 * First what only one replica may do, since nobody does it meanwhile; then the sagas, of which each replica may have some. Counts on both
 * sides, and throws when the two do not agree, or no replica that remains could take the lead; and once it is `aborted`, before it
 * does anything more. Another release may have other timers than the one before.
 */
export async function handOver(sides: Sides, moved: Moved, aborted: AbortSignal): Promise<void> {
  const { going, remaining } = sides;
  await handLead(sides, moved);
  const finished = await unlessAborted(
    aborted,
    Promise.all(going.map((replica) => replica.finishSagas(sagasWithinMs))),
  );
  await countSagas(finished, remaining[0], moved);
  aborted.throwIfAborted();
  for (const replica of going) await replica.leave();
}

/** The old replicas do again what they did, as soon as the new ones do it no more: each of them, whatever becomes of the others. */
export async function takeBack(going: readonly Replica[], coming: readonly Replica[]): Promise<void> {
  await Promise.allSettled(coming.map((replica) => replica.giveUpLead()));
  const told = await Promise.allSettled(going.map((replica) => replica.takeUp()));
  const troubles = told.flatMap((each) => (each.status === 'rejected' ? messageOf(each.reason) : []));
  if (troubles.length > 0) throw new Error(troubles.join('; '));
}

async function handLead({ going, remaining, anotherRelease }: Sides, moved: Moved): Promise<void> {
  const { events, timers } = moved;
  let [upTo, endedAt] = [0, 0];
  for (const replica of going) {
    const given = await replica.giveUpLead();
    // The others' numbers are later ones: what was published meanwhile waits nowhere that it did not before.
    if (!given.led) continue;
    upTo = given.upTo;
    endedAt = given.endedAt;
    timers.before = given.timers.length;
    [events.pendingBefore, events.heldBefore] = [given.pending, given.held];
  }
  const taken = await firstToLead(remaining, upTo);
  // Another process on the same data may lead, and go on to.
  if (endedAt === 0) return;
  if (!taken) throw new Error('no replica could take the lead');
  timers.after = taken.timers.length;
  [events.pendingAfter, events.heldAfter] = [taken.pending, taken.held];
  moved.gapMs = Math.max(0, taken.begunAt - endedAt);
  const alike = anotherRelease || timers.after === timers.before;
  if (events.pendingAfter > events.pendingBefore || !alike)
    throw new Error(
      `${events.pendingBefore} events waited and ${timers.before} timers ran before, ${events.pendingAfter} and ${timers.after} after: none may have come to them`,
    );
}

async function firstToLead(replicas: readonly Replica[], upTo: number): Promise<LeadTaken | undefined> {
  for (const replica of replicas) {
    const taken = await replica.takeLead(upTo);
    if (taken.leads) return taken;
  }
  return undefined;
}

async function countSagas(
  finished: readonly SagasHandedOver[],
  replica: Replica | undefined,
  { sagas }: Moved,
): Promise<void> {
  const ids = finished.flatMap(({ handedOver }) => handedOver);
  sagas.underWay = finished.reduce((sum, { underWay }) => sum + underWay, 0);
  sagas.ended = finished.reduce((sum, { ended }) => sum + ended, 0);
  sagas.handedOver = ids.length;
  sagas.found = (await replica?.countSagas(ids)) ?? 0;
  if (sagas.found !== ids.length) throw new Error(`of ${ids.length} sagas, ${sagas.found} are found in the new place`);
}
