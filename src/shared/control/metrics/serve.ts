import { type AdminRoutes, scraperGuard } from '../admin-api/index.ts';
import type { PartDependencies } from '../parts/index.ts';
import { contentTypeOf, type Form, formFor } from './exposition.ts';
import { targetsOf } from './targets.ts';

/**
 * Serves `GET /metrics`, the numbers of this process. The home process also serves `GET /metrics/targets`, which lists all processes to
 * Prometheus.
 */
export function serveMetrics(
  app: AdminRoutes,
  around: PartDependencies,
  scrape: (form: Form) => Promise<string>,
): void {
  const { settings, only } = around.topology;
  const hide = (token: string) => around.logs.hide(token);
  app.use('/metrics/*', scraperGuard({ dataDir: settings.DATA_DIR, setting: settings.METRICS_TOKEN, hide }));
  app.get('/metrics', async (c) => {
    const form = formFor(c.req.header('accept'));
    return c.body(await scrape(form), 200, { 'content-type': contentTypeOf(form) });
  });
  if (!only) app.get('/metrics/targets', (c) => c.json(targetsOf(new URL(c.req.url), around)));
}
