import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Player } from './player.ts';
import { type Step, tell } from './steps.ts';
import type { World } from './world.ts';

/** Runs `steps` in every world. Throws at the first difference from the first world, after each step and at rest. */
export async function liveThrough(steps: readonly Step[], worlds: readonly World[]): Promise<void> {
  const history = randomUUID();
  const players = worlds.map((world) => new Player(world, history));
  const everywhere = <T>(task: (player: Player) => Promise<T>) => Promise.all(players.map(task));
  try {
    await everywhere((player) => player.begin());
    for (const [index, step] of steps.entries()) {
      const seen = await everywhere((player) => player.perform(step));
      refuseDifference(worlds, seen, `after step ${index + 1}, ${tell(step)}`);
    }
    const atRest = await everywhere((player) => player.atRest());
    for (const part of new Set(atRest.flatMap((shown) => Object.keys(shown)))) {
      refuseDifference(
        worlds,
        atRest.map((shown) => shown[part]),
        `at rest, in ${part}`,
      );
    }
  } finally {
    await everywhere((player) => player.leave());
  }
}

function refuseDifference(worlds: readonly World[], seen: readonly unknown[], where: string): void {
  const other = seen.findIndex((each) => !isDeepStrictEqual(each, seen[0]));
  if (other < 0) return;
  const show = (index: number) =>
    `  ${worlds[index]!.name}:\n${indent(JSON.stringify(seen[index], null, 2) ?? 'nothing')}`;
  throw new Error(`${worlds[other]!.name} differs from ${worlds[0]!.name} ${where}:\n${show(0)}\n${show(other)}`);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
