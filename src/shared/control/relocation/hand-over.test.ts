import { expect, it } from 'vitest';
import type { Replica } from '../supervisor/index.ts';
import { handOver, nothingMoved } from './hand-over.ts';

const never = new AbortController().signal;

const between = (going: readonly Replica[], remaining: readonly Replica[], anotherRelease = false) => ({
  going,
  remaining,
  anotherRelease,
});

/** Creates a replica that gives up the lead at event `upTo`. `waiting` counts the waiting events up to a given event. */
function replica(led: boolean, upTo: number, waiting: (upTo: number) => number): Replica {
  const counted = (last: number) => ({ pending: waiting(last), held: 0 });
  return {
    name: 'a copy',
    migrations: async () => [],
    idle: async () => 0,
    fetchCalls: async () => {},
    fetchNoCalls: async () => {},
    giveUpLead: async () => ({ led, timers: led ? ['one'] : [], upTo, ...counted(upTo), endedAt: 1_000 }),
    takeLead: async (last) => ({ leads: true, timers: ['one'], ...counted(last), begunAt: 1_005 }),
    finishSagas: async () => ({ underWay: 0, ended: 0, handedOver: [] }),
    countSagas: async () => 0,
    stuckSagas: async () => 0,
    leave: async () => {},
    takeUp: async () => {},
  };
}

it('counts events up to the last event of the old leader, and ignores later ones', async () => {
  const moved = nothingMoved();
  // Two more are published between the first replica and the second.
  const waiting = (upTo: number) => upTo - 10;
  await handOver(
    between([replica(true, 10, waiting), replica(false, 12, waiting)], [replica(false, 0, waiting)]),
    moved,
    never,
  );
  expect(moved).toMatchObject({
    gapMs: 5,
    events: { pendingBefore: 0, pendingAfter: 0 },
    timers: { before: 1, after: 1 },
  });
});

it('throws when more events wait than before, and not when some were delivered meanwhile', async () => {
  const counts = (pending: number) => replica(true, 10, () => pending);
  await handOver(between([counts(3)], [counts(1)]), nothingMoved(), never);
  await expect(handOver(between([counts(3)], [counts(4)]), nothingMoved(), never)).rejects.toThrow(
    '3 events waited and 1 timers ran before, 4 and 1 after',
  );
});

it('accepts other timers only in another release', async () => {
  const old = replica(true, 10, () => 0);
  const fresh: Replica = {
    ...old,
    takeLead: async (upTo) => ({ ...(await old.takeLead(upTo)), timers: ['one', 'two'] }),
  };
  const moved = nothingMoved();
  await handOver(between([old], [fresh], true), moved, never);
  expect(moved.timers).toEqual({ before: 1, after: 2 });
  await expect(handOver(between([old], [fresh]), nothingMoved(), never)).rejects.toThrow(
    '0 events waited and 1 timers ran before, 0 and 2 after',
  );
});

it.each(['while sagas end', 'just before'])('keeps the old replicas after an abort, %s', async (when) => {
  const done: string[] = [];
  const controller = new AbortController();
  const abort = () => controller.abort(new Error('it was aborted'));
  const [old, fresh] = [replica(true, 10, () => 0), replica(false, 0, () => 0)];
  const leaving: Replica = {
    ...old,
    finishSagas: (ms) => {
      if (when === 'just before') return old.finishSagas(ms);
      abort();
      return new Promise(() => {});
    },
    leave: async () => void done.push('left'),
  };
  const counting: Replica = {
    ...fresh,
    countSagas: async () => {
      done.push('counted');
      abort();
      return 0;
    },
  };
  await expect(handOver(between([leaving], [counting]), nothingMoved(), controller.signal)).rejects.toThrow(
    'it was aborted',
  );
  expect(done).toEqual(when === 'just before' ? ['counted'] : []);
});
