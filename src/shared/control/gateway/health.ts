import { z } from 'zod';
import { answer, Resources } from '../../kernel/http-api/index.ts';
import type { Conditions, System } from './system.ts';

const modules = z.array(z.string());

const readiness = z.object({
  status: z.enum(['ready', 'degraded', 'unwritable', 'stopping']),
  /** Unreachable modules. */
  away: modules,
  /** Modules that cannot write to their database. */
  unwritable: modules,
  /** Modules with a process that is not ready yet, or starts again. */
  starting: modules,
  /** Modules with a process whose event loop does not turn. */
  unresponsive: modules,
  /** Modules whose only reachable process is about to stop. */
  draining: modules,
  /** Modules with an event that could not be delivered for a minute. */
  undelivered: modules,
  /** Whether the keys of the identity provider could be fetched lately. Absent without a provider. */
  identityProvider: z.enum(['ready', 'away']).optional(),
});

const liveness = z.object({
  status: z.enum(['ok', 'blocked']),
  /** The longest time by which the event loop was late in the last ten to twenty seconds. */
  loopDelayMs: z.int(),
});

/** The condition of the identity provider. */
export interface ProviderCondition {
  /** Whether the last fetch of its keys succeeded. */
  readonly current: boolean;
}

/**
 * Returns the probes: liveness, readiness and startup. Readiness names what modules lack. The public listener opens at the end of the
 * start, so its startup probe has one answer.
 */
export function health(system: System, provider?: ProviderCondition): Resources {
  return new Resources('health')
    .add({ method: 'get', path: '/healthz', summary: 'Alive', answers: { 200: liveness, 503: liveness } }, async () => {
      const { blocked, longestMs: loopDelayMs } = system.loopDelay;
      return blocked ? answer(503, { status: 'blocked', loopDelayMs }) : answer(200, { status: 'ok', loopDelayMs });
    })
    .add(
      { method: 'get', path: '/readyz', summary: 'Ready to take traffic', answers: { 200: readiness, 503: readiness } },
      async () => {
        if (system.stopping) return answer(503, { status: 'stopping', ...nothingIsLacking });
        const conditions = await system.conditions();
        // The reasons contain file names, so only operators may see them.
        const lacking = { ...conditions, unwritable: [...conditions.unwritable.keys()] };
        const shown = { ...lacking, ...(provider && { identityProvider: provider.current ? 'ready' : 'away' }) };
        if (keepsNothing(system, conditions)) return answer(503, { status: 'unwritable', ...shown });
        const isReady = Object.values(lacking).every((names) => names.length === 0) && provider?.current !== false;
        const status = isReady ? 'ready' : 'degraded';
        return answer(200, { status, ...shown });
      },
    )
    .add(
      {
        method: 'get',
        path: '/startupz',
        summary: 'The start is complete',
        answers: { 200: z.object({ status: z.literal('started') }) },
      },
      async () => answer(200, { status: 'started' }),
    );
}

const nothingIsLacking = { away: [], unwritable: [], starting: [], unresponsive: [], draining: [], undelivered: [] };

/**
 * Tells whether a module of this process cannot write, or no reachable module can. A single module of another process does not
 * count: the rest of the system still works.
 */
function keepsNothing({ open, definitions }: System, { away, unwritable }: Conditions): boolean {
  return (
    [...unwritable.keys()].some((module) => open.has(module)) ||
    (unwritable.size > 0 && away.length + unwritable.size === definitions.length)
  );
}
