import { rmSync } from 'node:fs';
import type { Layout } from './drills.ts';
import { Load, type Met } from './load.ts';
import { showLayout, showPhase } from './show.ts';
import { startSystem } from './system.ts';

/** The results of the clients in a phase. */
export interface PhaseSeen extends Met {
  readonly name: string;
  readonly about: string;
}

/** The result of a layout: the results of each phase, and the violated expectations. */
export interface LayoutSeen {
  readonly layout: string;
  readonly phases: readonly PhaseSeen[];
  readonly lives: boolean;
  readonly confirmedLater?: number;
  readonly unsettled?: number;
  readonly broken: readonly string[];
}

/** Runs a system through the phases of a layout, each for the same time. Prints each phase when `shows` is set. */
export async function runLayout(layout: Layout, forMs: number, shows: boolean): Promise<LayoutSeen> {
  const { name, placements, phases, mayDie = false } = layout;
  const system = await startSystem(placements);
  if (shows) showLayout(name, placements);
  try {
    const load = await Load.begin(system);
    const seen: PhaseSeen[] = [];
    const broken: string[] = [];
    for (const phase of phases) {
      const end = await phase.begin(system);
      const met = await load.watch(forMs);
      await end?.();
      const phaseSeen = { name: phase.name, about: phase.about, ...met };
      seen.push(phaseSeen);
      broken.push(...phase.holds.flatMap(([what, holds]) => (holds(met) ? [] : [`${phase.name}: ${what}`])));
      if (shows) showPhase(phaseSeen);
    }
    const lives = system.lives;
    const settled = mayDie ? undefined : await load.settle(20_000);
    if (settled && settled.unsettled > 0) broken.push(`${settled.unsettled} orders were still pending in the end`);
    if (!mayDie && !lives) broken.push('the home process died');
    return { layout: name, phases: seen, lives, ...settled, broken };
  } finally {
    await system.stop();
    rmSync(system.dataDir, { recursive: true, force: true });
  }
}
