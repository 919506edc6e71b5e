import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { createClient } from '../../kernel/calls/index.ts';
import { hurryTurns, steadyClock } from '../../kernel/context/index.ts';
import type { Client, Contract } from '../../kernel/contract/index.ts';
import { refusal, StartError } from '../../kernel/errors/index.ts';
import { type Composition, problemResponse, type Resources } from '../../kernel/http-api/index.ts';
import { answerInOrder, surviveAcceptErrors, UnsentAnswers } from '../../kernel/http-listener/index.ts';
import { FailureLog } from '../../kernel/telemetry/index.ts';
import { addressOf, listen, noProxies, peerIsTrusted, Shutdown, type TrustedProxies } from '../http-server/index.ts';
import { Credentials, FileKeyRing, openProvider, SessionTokens, SignedOut } from '../identity/index.ts';
import { admission } from './admission.ts';
import { bodyLimit, unfinishedBodies } from './body-limit.ts';
import { currentClient, knowClient } from './client-address.ts';
import { crossOrigin } from './cross-origin.ts';
import { fallback } from './fallback.ts';
import { forwardTo } from './forward.ts';
import { headersOfAll } from './headers-of-all.ts';
import { health } from './health.ts';
import { nested } from './nested.ts';
import { answerOtherMethods, methodsByPath } from './other-methods.ts';
import type { ServeEndpoint } from './passing-on.ts';
import { RequestsInFlight, rateLimit } from './rate-limit.ts';
import { mountReference } from './reference.ts';
import { type ContinuesTrace, currentSession, noteRoute, requestContext } from './request-context.ts';
import { requestLog } from './request-log.ts';
import type { ContinueTraces } from './request-span.ts';
import { GrowingSignInLimit } from './sign-in-limit.ts';
import { isStreamed, type StreamDependencies, serveStream } from './streams.ts';
import type { System } from './system.ts';
import { answerUnreadable, refuseTwice, refuseUnreadable, unreadableRequest } from './unreadable.ts';

/** Time to drain. Module processes and the home stop after it; together they stay under the ten seconds of a stop. */
const drainMs = 4_000;
const maximumBodyBytes = 1024 * 1024;
/** Costly requests of one client at a time. */
const maxRequestsInFlight = 16;
/** Uploads, downloads and streams of events of one client at a time. */
const maxStreams = 64;

export interface Gateway {
  /** Address of the public listener. */
  readonly address: string;
  /** Makes clients open another connection, to another process, for their next request. */
  announceStop(): void;
  /** Answers the requests in flight, then closes. */
  close(): Promise<void>;
}

/** Opens the public listener in front of all modules, wherever they run. Throws a `StartError` when the port is taken. */
export async function openGateway(system: System, compositions: readonly Composition[]): Promise<Gateway> {
  const { PORT, HOST, SLOW_READER_TIMEOUT_MS } = system.topology.settings;
  const api = createGateway(system, compositions);
  const server = createServer({ requireHostHeader: false });
  const unsent = new UnsentAnswers({ stalledMs: SLOW_READER_TIMEOUT_MS });
  const answer = getRequestListener(api.fetch, { errorHandler: unreadableRequest });
  const headers = await headersOfAll();
  answerInOrder(server, (request, response) => answer(request, response.setHeaders(headers)), unsent);
  answerUnreadable(server);
  surviveAcceptErrors(server, system.logs.of('gateway'));
  server.on('connection', hurryTurns);
  server.requestTimeout = 60_000;
  // Load balancers keep idle connections for a minute. A request fails when the gateway closes its connection at that moment.
  server.keepAliveTimeout = 65_000;
  const shutdown = new Shutdown(server);
  await listen(server, HOST, PORT, 'PORT');
  api.open();
  return {
    address: addressOf(server),
    announceStop: () => shutdown.announce(),
    async close() {
      await shutdown.close(drainMs);
      api.close();
    },
  };
}

/** The public resources of all modules, with what every request passes: context, log, limits. */
export interface PublicApi {
  readonly fetch: Hono['fetch'];
  /** Tells whether a resource has the path, whatever the method. */
  serves(path: string): boolean;
  /** Gets the keys of the identity provider, if there is one, and keeps them up to date until `close`. */
  open(): void;
  close(): void;
}

/** Makes the public API of a system, without a listener. */
export function createGateway(system: System, compositions: readonly Composition[]): PublicApi {
  const { settings } = system.topology;
  const keys = join(settings.DATA_DIR, 'keys');
  const signedOut = new SignedOut(join(keys, 'signed-out'));
  const tokens = new SessionTokens(new FileKeyRing(join(keys, 'sessions.json')), signedOut);
  const provider = openProvider(settings, system.access, system.logs.of('gateway'));
  const sessions = new Credentials(tokens, system.access, provider);
  const app = new Hono();
  const log = system.logs.of('gateway');
  const failures = new FailureLog(log, steadyClock);
  app.onError((error, c) => {
    // A client that disconnects before the answer is no failure of the gateway, so it raises no alarm.
    const gone = error.name === 'AbortError' || (error as { code?: string }).code === 'ECONNRESET';
    const message = 'a request failed in the gateway';
    const { method, path } = c.req;
    if (gone) log.debug({ error, path }, message);
    else failures.add({ message, error, fields: { method, path } });
    return problemResponse(error);
  });
  app.notFound(() => problemResponse(refusal('not-found', 'there is no such resource; /docs shows those there are')));
  const proxies = settings.TRUSTED_PROXIES ?? noProxies;
  const continues = continuesTrace(settings.TRACE_CONTINUE, proxies);
  const context = requestContext(sessions, settings.REQUEST_TIMEOUT_MS, continues, system.openControl?.requestEnded);
  const cors = crossOrigin(settings);
  if (cors) app.use(cors);
  app.use(nested(context, requestLog(system.logs), knowClient(proxies), refuseUnreadable));
  const alive = health(system, provider?.keys);
  const limits = {
    costly: new RequestsInFlight(maxRequestsInFlight),
    unfinished: unfinishedBodies(),
    streams: {
      open: new RequestsInFlight(maxStreams),
      stalledMs: settings.SLOW_READER_TIMEOUT_MS,
      failed: (error: unknown, { req: { method, path } }: Context) =>
        failures.add({ message: 'an answer broke off in the middle', error, fields: { method, path } }),
    },
  };
  mount(app, alive, serveHere, limits);
  const { FALLBACK_URL: url, REQUEST_TIMEOUT_MS: timeoutMs } = settings;
  const serves = (path: string) => app.router.match('GET', path)[0].some(([[, route]]) => route.path !== '/*');
  const passOn = url ? [fallback({ url, timeoutMs, proxies, log, serves })] : [];
  app.use(nested(rateLimit(settings.RATE_LIMIT_PER_MINUTE, log), ...passOn, admission()));
  const resources = [...mountResources(app, system, compositions, { sessions, limits }), alive];
  app.use(bodyLimit(maximumBodyBytes, limits.unfinished));
  refuseDuplicates(resources);
  for (const [path, methods] of methodsByPath(resources)) answerOtherMethods(app, path, methods);
  for (const { roles = [] } of resources.flatMap(({ endpoints }) => endpoints)) system.access.add(roles);
  mountReference(app, resources);
  return { fetch: app.fetch, serves, open: () => void provider?.keys.open(), close: () => provider?.keys.close() };
}

function continuesTrace(setting: ContinueTraces, proxies: TrustedProxies): ContinuesTrace {
  if (setting === 'trusted') return (peer) => peerIsTrusted(peer, proxies);
  return () => setting === 'always';
}

/** Mounts compositions before modules: a composition may deliberately serve a path below a module's path. */
function mountResources(
  app: Hono,
  system: System,
  compositions: readonly Composition[],
  { sessions, limits }: { readonly sessions: Credentials; readonly limits: Limits },
): Resources[] {
  const signInLimit = new GrowingSignInLimit();
  const composed = compositions.map((composition) => {
    const client = <C extends Contract>(contract: C): Client<C> => {
      if (!composition.uses.includes(contract)) {
        throw new StartError(`the composition "${composition.name}" asks for "${contract.name}": add it to its "uses"`);
      }
      return createClient(contract, (operation) => system.calls(operation, 'gateway'));
    };
    return composition.routes({ client, sessions, signInLimit, session: currentSession, clientAddress: currentClient });
  });
  for (const each of composed) mount(app, each, serveHere, limits);
  const owned = system.definitions.flatMap(({ contract, routes }) => {
    const self = createClient(contract, (operation) => system.calls(operation, contract.name));
    return routes ? [{ module: contract.name, resources: routes(self as never) }] : [];
  });
  for (const { module, resources } of owned) mount(app, resources, forwardTo(module, system), limits);
  return [...composed, ...owned.map(({ resources }) => resources)];
}

const serveHere: ServeEndpoint = (c, endpoint) => endpoint.serve(c);

/** What each client may have open at a time. */
interface Limits {
  readonly costly: RequestsInFlight;
  readonly unfinished: RequestsInFlight;
  readonly streams: StreamDependencies;
}

function mount(
  app: Hono,
  { endpoints }: Resources,
  serve: ServeEndpoint,
  { costly, unfinished, streams }: Limits,
): void {
  const stream = serveStream(serve, streams);
  for (const endpoint of endpoints) {
    const limit = bodyLimit(endpoint.raw?.maxBytes ?? maximumBodyBytes, unfinished);
    const answer = (c: Context) => (endpoint.costly ? costly.run(() => serve(c, endpoint)) : serve(c, endpoint));
    app.on(endpoint.method.toUpperCase(), endpoint.path, (c) => {
      const { incoming } = c.env as { incoming?: IncomingMessage };
      const refused = refuseTwice(endpoint, incoming);
      if (refused) return refused;
      noteRoute(endpoint.path);
      if (isStreamed(endpoint)) return stream(c, endpoint);
      return limit(c, () => answer(c) as Promise<never>) as Promise<Response>;
    });
  }
}

/** Throws a `StartError` when two resources serve the same method and path: the gateway would never call the second. */
function refuseDuplicates(resources: readonly Resources[]): void {
  const owners = new Map<string, string>();
  for (const { tag, endpoints } of resources) {
    for (const { method, path } of endpoints) {
      const door = `${method.toUpperCase()} ${path}`;
      const other = owners.get(door);
      if (other)
        throw new StartError(
          `${door} is served by ${other} and by ${tag}; give one of them another path in its routes.ts`,
        );
      owners.set(door, tag);
    }
  }
}
