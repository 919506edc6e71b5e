import { messageOf } from '../../kernel/errors/index.ts';
import type { LeadTaken, Replica, SagasHandedOver } from '../supervisor/index.ts';
import { unlessAborted } from './journal.ts';

/** A saga that waits longer than this continues in another replica. */
export const sagasWithinMs = 10_000;

/**
 * What the new replicas have taken over. The numbers of timers and sagas must be equal before and after. The new leader may handle some
 * waiting events, and some events in the retry queue, before it counts them again.
 */
export interface Moved {
  /** Calls that were in flight in the old place, and have been answered there. */
  callsDrained: number;
  /** How long no replica delivered events, took events in order or ran timers. */
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
  /** Whether the remaining replicas may be of another release. */
  readonly anotherRelease: boolean;
}

/**
 * Transfers leadership first, because no replica delivers events or runs timers meanwhile. Then transfers the sagas; every
 * replica may run some. Throws when more events wait than before, when the timers differ, unless the release does, when a saga is missing, or
 * when no remaining replica can lead. Throws before the next action once it is `aborted`.
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

/** Returns the work to the old replicas after the new ones have given it up. Each takes it, even when another fails. */
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
    // Only the leader's numbers count: the other replicas count later, and may include events published meanwhile.
    if (!given.led) continue;
    upTo = given.upTo;
    endedAt = given.endedAt;
    timers.before = given.timers.length;
    [events.pendingBefore, events.heldBefore] = [given.pending, given.held];
  }
  const taken = await firstToLead(remaining, upTo);
  // Another process on the same data may be the leader, and stay so.
  if (endedAt === 0) return;
  if (!taken) throw new Error('no replica could take the lead');
  timers.after = taken.timers.length;
  [events.pendingAfter, events.heldAfter] = [taken.pending, taken.held];
  moved.gapMs = Math.max(0, taken.begunAt - endedAt);
  const alike = anotherRelease || timers.after === timers.before;
  if (events.pendingAfter > events.pendingBefore || !alike)
    throw new Error(
      `${events.pendingBefore} events waited and ${timers.before} timers ran before, ${events.pendingAfter} and ${timers.after} after: events must not increase, and timers must stay the same`,
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
