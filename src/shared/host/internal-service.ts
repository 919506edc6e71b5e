import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener, type Http2Bindings, type HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { type CallContext, runInContext } from '../context/index.ts';
import { type Operation, parseInput } from '../contract/index.ts';
import { refusal } from '../errors/index.ts';
import { type Bus, envelopeSchema, resealed } from '../events/index.ts';
import type { ModuleDefinition, OpenModule } from '../module/index.ts';
import type { Log } from '../observability/index.ts';
import { problemResponse } from '../routes/index.ts';
import type { Directory } from '../topology/index.ts';
import { type CallSource, createClient, type InternalService } from '../transport/index.ts';
import type { Operations } from './everywhere.ts';

export interface InternalParts {
  definitions: readonly ModuleDefinition[];
  open: ReadonlyMap<string, OpenModule>;
  directory: Directory;
  calls: CallSource;
  bus: Bus;
  operations: Operations;
  log: Log;
}

/**
 * What this process does for the others. It serves the modules it runs, and passes on what is for modules whose address
 * only it knows.
 */
export function createInternalService(parts: InternalParts): InternalService {
  const { definitions, open, directory, calls, bus } = parts;
  const byName = new Map(definitions.map((definition) => [definition.contract.name, definition]));
  const routes = new Map(
    definitions.flatMap(({ contract, routes: make }) => {
      const app = make?.(createClient(contract, (operation) => calls(operation, contract.name)) as never).app;
      return app ? [[contract.name, getRequestListener((request) => served(app, request, parts.log))] as const] : [];
    }),
  );
  const operate = getRequestListener((request: Request, bindings: HttpBindings | Http2Bindings) =>
    parts.operations.fetch(request, bindings),
  );

  const known = (module: string) => byName.get(module) ?? fail(refusal('not-found', `there is no module "${module}"`));
  return {
    async call(module, name, input, context) {
      const { contract } = known(module);
      const uses = byName.get(context.caller)?.about.uses ?? [];
      if (!['gateway', module].includes(context.caller) && !uses.includes(module))
        throw notDeclared(context.caller, module, 'uses');
      const here = open.get(module);
      if (here) return here.dispatch(name, input, context);
      const operation =
        Object.hasOwn(contract.operations, name) && (contract.operations as Record<string, Operation>)[name];
      if (!operation) throw refusal('not-found', `${module} has no operation "${name}"`);
      return directory.of(module).transport.call({ operation, input, context });
    },
    async receive(module, events, context) {
      const { about } = known(module);
      if (!about.listensTo.includes(context.caller)) throw notDeclared(module, context.caller, 'listensTo');
      const envelopes = events.map((event) => parseInput(envelopeSchema, event));
      if (envelopes.some(({ source }) => source !== `/modules/${context.caller}`))
        throw refusal('forbidden', 'an event comes from its own module');
      const here = open.get(module);
      if (here) await Promise.all(envelopes.map((envelope) => here.receive(envelope)));
      else if (envelopes.length > 0) await bus.deliver(module, envelopes.map(resealed));
    },
    async route(module, path, context: CallContext, request: IncomingMessage, response: ServerResponse) {
      if (context.caller !== 'gateway') throw refusal('forbidden', 'public resources are reached through the gateway');
      const serve = routes.get(module);
      if (!serve || !open.has(module)) throw refusal('unavailable', `${module} does not run here`);
      request.url = path;
      await runInContext(context, () => serve(request, response));
    },
    async operate(request, response) {
      await operate(request, response);
    },
  };
}

async function served(app: Hono, request: Request, log: Log): Promise<Response> {
  try {
    return await app.fetch(request);
  } catch (error) {
    log.error({ error, path: new URL(request.url).pathname }, 'a public request failed');
    return problemResponse(error);
  }
}

function notDeclared(module: string, other: string, list: 'uses' | 'listensTo'): Error {
  return refusal('forbidden', `"${module}" does not declare "${other}" in the "${list}" of its module.json`);
}

function fail(error: Error): never {
  throw error;
}
