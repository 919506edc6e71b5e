import { Hono } from 'hono';
import type { z } from 'zod';
import type { CallSource } from '../../kernel/calls/index.ts';
import { parseInput } from '../../kernel/contract/index.ts';
import { isRefusal, refusal } from '../../kernel/errors/index.ts';
import { countOpen } from '../../kernel/events/index.ts';
import { fromQuery, problemResponse } from '../../kernel/http-api/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import { bearer, shownAddress } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import {
  type AdminRoutes,
  FanOut,
  refuseQuery,
  serveAccess,
  serveDeadLetters,
  serveLogLevels,
  serveSagas,
} from '../admin-api/index.ts';
import { processAnswer, type processesAnswer, type topologyAnswer } from '../admin-contract/index.ts';
import type { Conditions } from '../gateway/index.ts';
import { type AccessControl, Authority, type Identity, type Operators } from '../identity/index.ts';
import type { Logs } from '../logs/index.ts';
import type { OpenControl } from '../parts/index.ts';
import { type Relocations, serveRelocations } from '../relocation/index.ts';
import type { Directory } from '../routing/index.ts';
import type { ModuleHere, ModuleProcess, ModuleProcesses } from '../supervisor/index.ts';
import { type Placement, placementText, type Topology } from '../topology/index.ts';
import { publicationPath, publicationQuery } from './enrolment.ts';
import { logLevelsPart } from './logs.ts';
import { type ProcessFactsDependencies, processFacts } from './process-facts.ts';

export interface AdminRoutesDependencies extends ProcessFactsDependencies {
  topology: Topology;
  placements: ReadonlyMap<string, Placement>;
  definitions: readonly ModuleDefinition[];
  directory: Directory;
  calls: CallSource;
  open: ReadonlyMap<string, ModuleHere>;
  moduleProcesses: ModuleProcesses;
  identity: Identity;
  /** Set only in the home process, which alone knows the operators' token. */
  operators: Operators | undefined;
  access: AccessControl;
  logs: Logs;
  log: Log;
  conditions: () => Promise<Conditions>;
  loopDelay: { readonly blocked: boolean; readonly longestMs: number };
  relocations: Relocations;
  adapters: Adapters;
  openControl: OpenControl;
  state: ProcessState;
}

/** Whether this process has started, and whether it is about to stop. */
interface ProcessState {
  readonly started: boolean;
  readonly stopping: boolean;
}

/** Creates the operators' routes of the internal listener. The home process also answers for the other processes. */
export function createAdminRoutes(parts: AdminRoutesDependencies): AdminRoutes {
  const app: AdminRoutes = new Hono();
  const { definitions, log } = parts;
  app.onError((error) => {
    if (!isRefusal(error)) log.error({ error }, "an operator's request failed");
    return problemResponse(error);
  });
  app.notFound(() =>
    problemResponse(
      refusal('not-found', 'there is no such route; the product may lack the part of control that serves it'),
    ),
  );
  serveProbes(app, parts);
  const { identity } = parts;
  if (identity instanceof Authority) {
    app.get(publicationPath, async (c) => {
      const { nonce } = parseInput(publicationQuery, fromQuery(publicationQuery, c.req.queries()));
      return c.json({ keys: identity.publicKeys(), signed: await identity.publications(nonce) });
    });
  }
  parts.openControl.serveOpenly(app, parts);
  app.use('*', async (c, next) => {
    // The internal service has already verified the operators' signature of a request that was passed on.
    if (c.env?.passedOn !== undefined) return next();
    if (!parts.operators) throw refusal('unauthenticated', 'a service takes no operator token; ask the home process');
    if (!parts.operators.know(bearer(c.req.header('authorization'))))
      throw refusal('unauthenticated', 'send the operator token');
    await next();
  });
  app.get('/ops/topology', async (c) => {
    refuseQuery(c);
    const { away, unwritable } = await parts.conditions();
    return c.json(describe(parts, away, unwritable));
  });
  const modules = definitions.map(({ contract }) => contract.name);
  const everywhere = new FanOut({ ...parts, modules });
  app.get('/ops/outbox', (c) => {
    refuseQuery(c);
    return everywhere.rows(c, undefined, ({ database }) => countOpen(database));
  });
  app.get('/ops/process', async (c) => {
    refuseQuery(c);
    return c.json(await processFacts(parts));
  });
  app.get('/ops/processes', async (c) => {
    refuseQuery(c);
    return c.json(await describeProcesses(parts, everywhere, c));
  });
  serveDeadLetters(app, everywhere);
  serveSagas(app, everywhere);
  serveLogLevels(app, everywhere, {
    ...{ logs: parts.logs, modules, share: () => parts.moduleProcesses.share(logLevelsPart) },
    elsewhere: () => modules.filter((name) => runsElsewhere(name, parts)),
  });
  if (parts.operators) serveAccess(app, parts.access, log);
  serveRelocations(app, modules, parts.relocations, parts.adapters);
  parts.openControl.serve(app, everywhere, parts);
  refuseOtherMethods(app);
  return app;
}

/** Serves the probes of this process, for everybody and without details. */
function serveProbes(app: AdminRoutes, { loopDelay, state }: Pick<AdminRoutesDependencies, 'loopDelay' | 'state'>) {
  app.get('/healthz', (c) => (loopDelay.blocked ? c.json({ status: 'blocked' }, 503) : c.json({ status: 'ok' })));
  app.get('/readyz', (c) => {
    const status = state.stopping ? 'stopping' : state.started ? 'ready' : 'starting';
    return c.json({ status }, status === 'ready' ? 200 : 503);
  });
  app.get('/startupz', (c) => (state.started ? c.json({ status: 'started' }) : c.json({ status: 'starting' }, 503)));
}

/** Describes this process and all others, each with the times between which it answered. */
async function describeProcesses(
  parts: AdminRoutesDependencies,
  everywhere: FanOut,
  c: Parameters<FanOut['processes']>[0],
): Promise<z.input<typeof processesAnswer>> {
  const sentAt = Date.now();
  const facts = await processFacts(parts);
  const receivedAt = Date.now();
  const [others, conditions] = await Promise.all([everywhere.processes(c, '/ops/process'), parts.conditions()]);
  const home = { module: 'home', address: null, sentAt, receivedAt, facts };
  const items = others.map(({ content, address, ...other }) => {
    const answer = { ...other, address: address && shownAddress(address) };
    const { data } = processAnswer.safeParse(content);
    return data || !content ? { ...answer, facts: data } : { ...answer, why: 'its release answers otherwise' };
  });
  const readiness = { ...conditions, unwritable: Object.fromEntries(conditions.unwritable) };
  return { items: [home, ...items], readiness };
}

/** Returns whether a module runs in processes that this process has not started. */
function runsElsewhere(module: string, { moduleProcesses, directory }: AdminRoutesDependencies): boolean {
  return moduleProcesses.of(module).length === 0 && directory.routeTo(module).state === 'there';
}

function refuseOtherMethods(app: AdminRoutes): void {
  const paths = Map.groupBy(app.routes, ({ path }) => path);
  for (const [path, routes] of paths) {
    if (!path.startsWith('/ops/')) continue;
    const allow = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    app.all(path, () => problemResponse(refusal('method-not-allowed'), { allow }));
  }
}

type TopologyDependencies = Pick<
  AdminRoutesDependencies,
  'topology' | 'placements' | 'definitions' | 'directory' | 'moduleProcesses'
>;

/**
 * Describes where each module runs, as this process sees it. `away` lists the modules that do not answer; `unwritable` says why other
 * modules cannot store data.
 */
export function describe(
  { topology, placements, definitions, directory, moduleProcesses }: TopologyDependencies,
  away: readonly string[],
  unwritable: ReadonlyMap<string, string> = new Map(),
): z.input<typeof topologyAnswer> {
  const modules = definitions.map(({ contract: { name } }) => {
    const at = directory.routeTo(name);
    const processes = moduleProcesses.of(name);
    const instances =
      at.state === 'here'
        ? [{ pid: process.pid, address: null, since: startedAt }]
        : processes.length > 0
          ? processes.flatMap(({ pid, ready, unresponsive }) =>
              pid ? [{ pid, ...where(ready), ...(unresponsive && { unresponsive }) }] : [],
            )
          : at.state === 'there'
            ? at.upstream.instances.map(({ address }) => ({ pid: null, address: shownAddress(address), since: null }))
            : [];
    const silent = processes.some(({ unresponsive }) => unresponsive) ? 'unresponsive' : 'away';
    const unreached = processes.find(({ ready }) => !ready)?.state.kind ?? silent;
    const why = unwritable.get(name);
    const state = away.includes(name) ? unreached : why === undefined ? 'ready' : 'unwritable';
    return {
      name,
      placement: placementText(placements.get(name)!),
      state,
      ...(why !== undefined && { why }),
      instances,
    };
  });
  return { bus: shownAddress(topology.settings.BUS), modules };
}

/** Returns the address of a ready process's internal listener, and the address of its module when that differs. */
function where(ready: ModuleProcess['ready']) {
  if (!ready) return { address: null, since: null };
  const { address, reachedAt, since } = ready;
  return { address, ...(reachedAt !== address && { calledAt: shownAddress(reachedAt) }), since };
}

const startedAt = new Date().toISOString();
