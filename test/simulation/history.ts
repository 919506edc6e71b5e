import type { Chronicle } from './chronicle.ts';
import { determine } from './determined.ts';
import type { FirstDay } from './first-day.ts';
import { type Flaw, plant, workInTheNameOfCallers } from './flaws.ts';
import { violations } from './invariants.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

const day = 24 * 60 * 60_000;
let today = Date.UTC(2026, 0, 2);

/**
 * Runs the history that follows from `seed`. Resolves with the violations at its end. Each history begins on its own day,
 * because the id library never goes back in time. The day only changes the dates in the ids.
 */
export async function live(seed: number, first: FirstDay, flaw?: Flaw, chronicle?: Chronicle): Promise<string[]> {
  today += day;
  const world = new World(seed, today, plant(first, flaw), flaw, chronicle);
  const restore = determine(() => Math.floor(world.scheduler.time), new Random(~seed), world.provider.fetch);
  const rejected = (error: unknown) => world.watch(Promise.reject(error));
  process.on('unhandledRejection', rejected);
  const cure = flaw === 'runs background work in the context of a caller' ? workInTheNameOfCallers() : undefined;
  const deafen = chronicle?.listen(first.disks.values());
  for (const disk of first.disks.values()) disk.beginHistory();
  try {
    const told = await world.live();
    return world.faults.length > 0 ? [...world.faults] : violations(first, told, world.provider.books);
  } finally {
    for (const disk of first.disks.values()) disk.endHistory();
    cure?.();
    deafen?.();
    restore();
    process.off('unhandledRejection', rejected);
  }
}
