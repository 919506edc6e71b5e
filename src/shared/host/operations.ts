import { Hono } from 'hono';
import type { Pool } from 'undici';
import { isRefusal, refusal } from '../errors/index.ts';
import { countOpen, deadLetters } from '../events/index.ts';
import { bearer, sameSecret } from '../identity/index.ts';
import type { ModuleDefinition, OpenModule } from '../module/index.ts';
import type { Log } from '../observability/index.ts';
import { problemResponse } from '../routes/index.ts';
import { listSagas } from '../saga/index.ts';
import { type Directory, placementText, type Topology } from '../topology/index.ts';
import type { Peers } from '../transport/index.ts';
import type { WhoIsAway } from './away.ts';
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

type Listed = { items: unknown[] };
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
  const list = (path: string, read: (module: OpenModule, query: Query) => Promise<object[]>) => {
    app.get(path, async (c) => {
      const { here, ...query } = c.req.query();
      const rows = async (module: OpenModule) =>
        (await read(module, query)).map((row) => ({ module: module.name, ...row }));
      return c.json(await gather(parts, withQuery(path, query), rows, here === undefined));
    });
  };
  list('/ops/outbox', ({ database }) => countOpen(database));
  list('/ops/dead-letters', async ({ database }) =>
    (await deadLetters(database, mostRows)).map(({ envelope, ...row }) => ({ ...row, event: JSON.parse(envelope) })),
  );
  list('/ops/sagas', ({ database }, { state }) => listSagas(database, state, mostRows));
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

/** The rows of the modules here, and of those in the services this process started. */
async function gather(
  parts: OperationsParts,
  path: string,
  read: (module: OpenModule) => Promise<unknown[]>,
  everywhere: boolean,
): Promise<Listed> {
  const here = await Promise.all([...parts.open.values()].map(read));
  const there = everywhere
    ? await Promise.all([...parts.services.all.keys()].map((name) => ask(parts, name, path)))
    : [];
  return { items: [...here, ...there].flat() };
}

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams(query as Record<string, string>).toString();
  return search ? `${path}?${search}` : path;
}

async function ask({ directory, peers, token }: OperationsParts, module: string, path: string): Promise<unknown[]> {
  const at = directory.of(module);
  if (at.state !== 'there') return [{ module, state: 'unreachable' }];
  const pool: Pool = peers.at(at.address);
  try {
    const answer = await pool.request({
      method: 'GET',
      path: `${path}${path.includes('?') ? '&' : '?'}here=true`,
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(2_000),
    });
    return ((await answer.body.json()) as Listed).items;
  } catch {
    return [{ module, state: 'unreachable' }];
  }
}
