import { z } from 'zod';
import type { Host } from '../host/index.ts';
import { answer, Resources } from '../routes/index.ts';

const readiness = z.object({ status: z.enum(['ready', 'degraded', 'stopping']), away: z.array(z.string()) });

/** Whether the system lives, whether to send it traffic, and which of its modules cannot be reached now. */
export function health(host: Host): Resources {
  return new Resources('health')
    .add(
      { method: 'get', path: '/healthz', about: 'Alive', answers: { 200: z.object({ status: z.literal('ok') }) } },
      async () => answer(200, { status: 'ok' }),
    )
    .add(
      { method: 'get', path: '/readyz', about: 'Ready to take traffic', answers: { 200: readiness, 503: readiness } },
      async () => {
        const away = await host.away();
        if (host.draining) return answer(503, { status: 'stopping', away });
        return answer(200, { status: away.length === 0 ? 'ready' : 'degraded', away });
      },
    );
}
