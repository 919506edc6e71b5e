import { Hono } from 'hono';
import { isRefusal, refusal } from '../errors/index.ts';
import { countOpen, shownBus } from '../events/index.ts';
import { bearer, type ServiceTokens, sameSecret } from '../identity/index.ts';
import type { ModuleDefinition, OpenModule } from '../module/index.ts';
import type { Log } from '../observability/index.ts';
import { problemResponse } from '../routes/index.ts';
import { type Directory, placementText, type Topology } from '../topology/index.ts';
import type { Peers } from '../transport/index.ts';
import type { WhoIsAway } from './away.ts';
import { serveDeadLetters } from './dead-letters.ts';
import { Everywhere, type Operations, operatorsAudience } from './everywhere.ts';
import { serveSagas } from './sagas.ts';
import type { Services } from './services.ts';

export interface OperationsParts {
  topology: Topology;
  definitions: readonly ModuleDefinition[];
  directory: Directory;
  open: ReadonlyMap<string, OpenModule>;
  services: Services;
  peers: Peers;
  tokens: ServiceTokens;
  /** The operators' own. */
  token: string;
  log: Log;
  away: WhoIsAway;
}

/** What operators ask of the internal listener. The home process answers for the others, too. */
export function createOperations(parts: OperationsParts): Operations {
  const app: Operations = new Hono();
  const { definitions, topology, log } = parts;
  app.onError((error) => {
    if (!isRefusal(error)) log.error({ error }, "an operator's request failed");
    return problemResponse(error);
  });
  app.notFound(() => problemResponse(refusal('not-found')));
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.use('*', async (c, next) => {
    c.set('passedOn', await isPassedOn(parts, bearer(c.req.header('authorization'))));
    await next();
  });
  app.get('/ops/topology', async (c) => c.json(describe(parts, await parts.away())));
  const modules = definitions.map(({ contract }) => contract.name);
  const everywhere = new Everywhere({ ...parts, modules, home: !topology.only });
  app.get('/ops/outbox', (c) => everywhere.rows(c, undefined, ({ database }) => countOpen(database)));
  serveDeadLetters(app, everywhere);
  serveSagas(app, everywhere);
  refuseOtherMethods(app);
  return app;
}

/** Whether another process asks, not an operator. Refuses whoever is neither. */
async function isPassedOn({ token, tokens }: OperationsParts, given: string | undefined): Promise<boolean> {
  if (given && sameSecret(given, token)) return false;
  await tokens.verify(given, operatorsAudience).catch(() => {
    throw refusal('unauthenticated', 'send the operator token');
  });
  return true;
}

function refuseOtherMethods(app: Operations): void {
  const paths = new Set(app.routes.map(({ path }) => path).filter((path) => path.startsWith('/ops/')));
  for (const path of paths) {
    app.all(path, () => {
      throw refusal('method-not-allowed');
    });
  }
}

type Described = Pick<OperationsParts, 'topology' | 'definitions' | 'directory' | 'open' | 'services'>;

/** What runs where, as this process sees it; `away` are the modules that nobody answers for. */
export function describe({ topology, definitions, directory, open, services }: Described, away: readonly string[]) {
  const modules = definitions.map(({ contract: { name } }) => {
    const at = directory.of(name);
    const service = services.all.get(name);
    const instances = open.has(name)
      ? [{ pid: process.pid, address: null, since: startedAt }]
      : at.state === 'there'
        ? [{ pid: service?.pid ?? null, address: at.address, since: service?.since ?? null }]
        : [];
    const unreached = service && service.state !== 'ready' ? service.state : 'away';
    const state = away.includes(name) ? unreached : 'ready';
    return { name, placement: placementText(topology.placements.get(name)!), state, instances };
  });
  return { bus: shownBus(topology.settings.BUS), modules };
}

const startedAt = new Date().toISOString();
