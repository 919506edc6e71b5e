import { Hono } from 'hono';
import { isRefusal, refusal } from '../errors/index.ts';
import { countOpen } from '../events/index.ts';
import { bearer, sameSecret } from '../identity/index.ts';
import type { ModuleDefinition, OpenModule } from '../module/index.ts';
import type { Log } from '../observability/index.ts';
import { problemResponse } from '../routes/index.ts';
import { listSagas } from '../saga/index.ts';
import { type Directory, placementText, type Topology } from '../topology/index.ts';
import type { Peers } from '../transport/index.ts';
import type { WhoIsAway } from './away.ts';
import { serveDeadLetters, withQuery } from './dead-letters.ts';
import { Others } from './others.ts';
import type { Services } from './services.ts';

export interface OperationsParts {
  topology: Topology;
  definitions: readonly ModuleDefinition[];
  directory: Directory;
  open: ReadonlyMap<string, OpenModule>;
  services: Services;
  peers: Peers;
  token: string;
  log: Log;
  away: WhoIsAway;
}

type Query = Record<string, string | undefined>;

/** Of each module, in one answer. */
const mostRows = 100;

/** What operators ask of the internal listener. The home process answers for the services it started, too. */
export function createOperations(parts: OperationsParts): Hono {
  const app = new Hono();
  app.onError((error) => {
    if (!isRefusal(error)) parts.log.error({ error }, "an operator's request failed");
    return problemResponse(error);
  });
  app.notFound(() => problemResponse(refusal('not-found')));
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.use('*', async (c, next) => {
    const given = bearer(c.req.header('authorization'));
    if (!given || !sameSecret(given, parts.token)) throw refusal('unauthenticated', 'send the operator token');
    await next();
  });
  app.get('/ops/topology', async (c) => c.json(describe(parts, await parts.away())));
  const { open, directory, peers, token, definitions, topology } = parts;
  const modules = definitions.map(({ contract }) => contract.name);
  const others = new Others({ open, directory, peers, token, modules, home: !topology.only });
  const list = (path: string, read: (module: OpenModule, query: Query) => Promise<object[]>) => {
    app.get(path, async (c) => {
      const { here, ...query } = c.req.query();
      const rows = [...open.values()].map(async (module) =>
        (await read(module, query)).map((row) => ({ module: module.name, ...row })),
      );
      const request = { method: 'GET', path: withQuery(path, query) } as const;
      const elsewhere = here === undefined ? await others.everywhere(request) : [];
      return c.json({ items: [...(await Promise.all(rows)).flat(), ...elsewhere.flatMap(({ items }) => items)] });
    });
  };
  list('/ops/outbox', ({ database }) => countOpen(database));
  list('/ops/sagas', ({ database }, { state }) => listSagas(database, state, mostRows));
  serveDeadLetters(app, { open, others });
  return app;
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
  return { bus: topology.settings.BUS, modules };
}

const startedAt = new Date().toISOString();
