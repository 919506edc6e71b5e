import { currentContext, currentUnit } from '../../src/shared/kernel/context/index.ts';
import type { ModuleContainer, ModuleDefinition, ModuleUnit } from '../../src/shared/kernel/module/index.ts';
import type { Disk } from './disk.ts';

/** Makes a module's subscriptions record every handled event, in the same unit of work. */
export function countEffects(definition: ModuleDefinition, disk: Disk): ModuleDefinition {
  disk.native.exec('CREATE TABLE simulated_effects (event_id TEXT NOT NULL)');
  const note = disk.native.prepare('INSERT INTO simulated_effects VALUES (?)');
  return {
    ...definition,
    subscriptions: definition.subscriptions?.map(({ event, handle }) => ({
      event,
      async handle(data: never, unit: ModuleUnit, container: ModuleContainer) {
        await handle(data, unit, container);
        // A handler after its time limit, or in a dead process, has no effect.
        if (currentUnit.getStore()?.open) note.run(currentContext()!.requestId);
      },
    })),
  };
}

type Counted = { id: string; count: number };
type Sent = { id: string; type: string; recipient: string };

/** Checks that every event takes effect exactly once at each of its recipients. Returns every violation in words. */
export function unevenEffects(disks: ReadonlyMap<string, Disk>): string[] {
  const counts = new Map<string, Map<string, number>>();
  for (const [module, disk] of disks) {
    const rows = disk.ask<Counted>('SELECT event_id AS id, count(*) AS count FROM simulated_effects GROUP BY event_id');
    counts.set(module, new Map(rows.map(({ id, count }) => [id, count])));
  }
  return [...disks].flatMap(([module, disk]) => {
    const sent = disk.ask<Sent>('SELECT event_id AS id, type, recipient FROM kerf_outbox');
    return sent.flatMap(({ id, type, recipient }) => {
      const count = counts.get(recipient)?.get(id) ?? 0;
      return count === 1 ? [] : [`event ${type} (${id}) of ${module} took effect ${count} times at ${recipient}`];
    });
  });
}
