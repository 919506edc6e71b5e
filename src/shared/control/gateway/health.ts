import { z } from 'zod';
import { answer, Resources } from '../../kernel/http-api/index.ts';
import type { System } from './system.ts';

const readiness = z.object({
  status: z.enum(['ready', 'degraded', 'unwritable', 'stopping']),
  /** Unreachable modules. */
  away: z.array(z.string()),
  /** Modules that cannot write to their database. */
  unwritable: z.array(z.string()),
});

/** Returns the liveness and readiness endpoints. Readiness names the modules that are unreachable or cannot write. */
export function health(system: System): Resources {
  return new Resources('health')
    .add(
      { method: 'get', path: '/healthz', summary: 'Alive', answers: { 200: z.object({ status: z.literal('ok') }) } },
      async () => answer(200, { status: 'ok' }),
    )
    .add(
      { method: 'get', path: '/readyz', summary: 'Ready to take traffic', answers: { 200: readiness, 503: readiness } },
      async () => {
        if (system.stopping) return answer(503, { status: 'stopping', away: [], unwritable: [] });
        const [away, reasons] = await Promise.all([system.away(), system.unwritable()]);
        // The reasons contain file names, so only operators may see them.
        const unwritable = [...reasons.keys()];
        if (keepsNothing(system, away, unwritable)) return answer(503, { status: 'unwritable', away, unwritable });
        const status = away.length + unwritable.length === 0 ? 'ready' : 'degraded';
        return answer(200, { status, away, unwritable });
      },
    );
}

/**
 * Tells whether a module of this process cannot write, or no reachable module can. A single module of another process does not
 * count: the rest of the system still works.
 */
function keepsNothing({ open, definitions }: System, away: readonly string[], unwritable: readonly string[]): boolean {
  return (
    unwritable.some((module) => open.has(module)) ||
    (unwritable.length > 0 && away.length + unwritable.length === definitions.length)
  );
}
