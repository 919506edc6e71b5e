import type { Hono } from 'hono';
import {
  byDeadline,
  type CallRequest,
  type CallSource,
  composeSteps,
  createClient,
  kernelOperation,
  ofKernel,
  type PassedBack,
  type PassedOn,
  road,
  type Serve,
  type ServedCall,
  type StreamStep,
} from '../../kernel/calls/index.ts';
import { type CallContext, runInContext, systemClock } from '../../kernel/context/index.ts';
import { type Operation, parseInput } from '../../kernel/contract/index.ts';
import { betweenProcesses, refusal } from '../../kernel/errors/index.ts';
import { type Bus, encodeAgain, envelopeSchema, parseEvent } from '../../kernel/events/index.ts';
import { problemResponse } from '../../kernel/http-api/index.ts';
import type { ModuleDefinition, OpenModule } from '../../kernel/module/index.ts';
import { FailureLog } from '../../kernel/telemetry/index.ts';
import { type AdminRoutes, orderHeader } from '../admin-api/index.ts';
import { type Identity, verifyOrder } from '../identity/index.ts';
import type { Logs } from '../logs/index.ts';
import type { Detour, Directory } from '../routing/index.ts';
import type { ModulesHere } from '../supervisor/index.ts';
import { type Condition, oldestEvents, undeliveredOf } from './conditions.ts';
import type { Databases } from './databases.ts';
import { OpenStreams } from './open-streams.ts';
import { fromPassedOn, toPassedBack } from './passed-on.ts';
import type { WriteProbes } from './write-probes.ts';

export interface InternalServiceDependencies {
  readonly definitions: readonly ModuleDefinition[];
  readonly here: ModulesHere;
  readonly directory: Directory;
  readonly calls: CallSource;
  readonly bus: Bus;
  readonly identity: Identity;
  readonly writeProbes: WriteProbes;
  /** Whether this is the home process, which operators call directly. */
  readonly home: boolean;
  readonly adminRoutes: AdminRoutes;
  readonly databases: Databases;
  /** Whether this process is about to stop. */
  readonly state: { readonly stopping: boolean };
  readonly logs: Pick<Logs, 'of'>;
  /** Maximum time in which a client may read nothing of an answer, in milliseconds. */
  readonly slowReaderMs: number;
}

export interface InternalService {
  /**
   * Serves the calls of other processes, by any transport. Serves modules that run here, and passes on calls to modules whose address
   * only this process knows. Refuses a caller that does not declare the module it calls.
   */
  readonly serve: Serve;
  /** Serves by the replica that runs here, even during a detour: the replica for the call is already chosen. */
  readonly serveHere: Serve;
}

export function createInternalService(parts: InternalServiceDependencies): InternalService {
  const { definitions, directory } = parts;
  const modules = new Map(
    definitions.map((definition) => [definition.contract.name, new ServedModule(definition, parts)]),
  );
  const served = (name: string) => {
    const module = modules.get(name);
    if (!module) throw refusal('not-found', `there is no module "${name}"`);
    return module;
  };
  return {
    async serve(name, operation, input, context) {
      const module = served(name);
      const mayAsk = module.mayAsk(operation, context.caller, definitions);
      if (!mayAsk) throw notDeclared(context.caller, name, 'uses');
      if (kernelOperation(operation) === 'introduce') return module.introduced(input, context);
      // During a relocation, a module may be open here while its calls go elsewhere.
      const { state, detour } = directory.routeTo(name);
      if (state !== 'here') return module.passOn(operation, input, context);
      return detour ? module.divert(detour, operation, input, context) : module.serve(operation, input, context);
    },
    serveHere: async (name, operation, input, context) => served(name).serve(operation, input, context),
  };
}

/** Bypass admission: probes and operators, so that they still reach an overloaded module, and the steps of requests that have begun. */
const unlimited = new Set(['ping', 'writes', 'operate', 'stream']);

class ServedModule {
  readonly #name: string;
  readonly #failures: FailureLog;
  readonly #routes: Hono | undefined;
  /** Leads a public request through the callee's part of the road, to the resources of the module. */
  readonly #publicRoad: (call: ServedCall) => Promise<unknown>;
  readonly #streams: OpenStreams;
  private readonly definition: ModuleDefinition;
  private readonly parts: InternalServiceDependencies;

  constructor(definition: ModuleDefinition, parts: InternalServiceDependencies) {
    this.definition = definition;
    this.parts = parts;
    const { contract, routes } = definition;
    this.#name = contract.name;
    this.#failures = new FailureLog(parts.logs.of(this.#name), systemClock);
    const self = createClient(contract, (operation) => parts.calls(operation, contract.name));
    this.#routes = routes?.(self as never).app;
    this.#publicRoad = composeSteps(
      road.callee,
      { operation: ofKernel('write', contract.name) },
      ({ input, context }) => runInContext(context, () => this.#resource(input as Request)),
    );
    this.#streams = new OpenStreams({
      clock: systemClock,
      idleMs: parts.slowReaderMs + 30_000,
      serve: (request, context) => this.#publicRoad({ input: request, context }) as Promise<Response>,
      failed: (error, request) => this.#noteFailed(error, request),
    });
  }

  mayAsk(operation: string, caller: string, all: readonly ModuleDefinition[]): boolean {
    if (kernelOperation(operation) || caller === 'gateway' || caller === this.#name) return true;
    const asking = all.find(({ contract }) => contract.name === caller);
    return asking?.about.uses.includes(this.#name) ?? false;
  }

  serve(name: string, input: unknown, context: CallContext): Promise<unknown> {
    const module = this.parts.here.open.get(this.#name)!;
    const what = { module: this.#name, name };
    const kernel = kernelOperation(name);
    const run = () => (kernel ? this.#kernel(kernel, input, context, module) : module.dispatch(name, input, context));
    const passes = kernel !== undefined && unlimited.has(kernel);
    const work = passes ? run() : module.admission.run(run, { ...context, what });
    return byDeadline(module.inFlight.until(work), context, what);
  }

  /** Answers in the home process itself, wherever the module runs. */
  async introduced(given: unknown, { caller }: CallContext): Promise<unknown> {
    if (caller !== this.#name) throw betweenProcesses('forbidden', 'only the module itself may introduce its data');
    const input = parseInput(ofKernel('introduce', this.#name).input, given);
    return this.parts.databases.introduced(this.#name, input as never);
  }

  async passOn(name: string, input: unknown, context: CallContext): Promise<unknown> {
    const operation = this.#operation(name);
    if (kernelOperation(name) === 'receive')
      return this.#receive(input, context, (events) => this.parts.bus.deliver(this.#name, events));
    return this.parts.directory.routeTo(this.#name).transport.call({ operation, input, context });
  }

  /** Serves the call here or by other replicas. The detour decides. */
  async divert(detour: Detour, name: string, input: unknown, context: CallContext): Promise<unknown> {
    const here = { call: (request: CallRequest) => this.serve(name, request.input, request.context) };
    return detour.call({ operation: this.#operation(name), input, context }, here);
  }

  #operation(name: string): Operation {
    const kernel = kernelOperation(name);
    if (kernel) return ofKernel(kernel, this.#name);
    const operations = this.definition.contract.operations as Readonly<Record<string, Operation>>;
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (!operation) throw refusal('not-found', `${this.#name} has no operation "${name}"`);
    return operation;
  }

  async #kernel(
    name: NonNullable<ReturnType<typeof kernelOperation>>,
    given: unknown,
    context: CallContext,
    module: OpenModule,
  ) {
    const input: unknown = parseInput(ofKernel(name, this.#name).input, given);
    switch (name) {
      case 'ping':
        return {};
      case 'writes':
        return this.#condition(module);
      case 'receive':
        return this.#receive(input, context, (_, envelopes) =>
          Promise.all(envelopes.map((each) => module.receive(each))),
        );
      case 'read':
      case 'write':
        if (context.caller !== 'gateway') throw publicOnly();
        return toPassedBack((await this.#publicRoad({ input: fromPassedOn(input as PassedOn), context })) as Response);
      case 'stream':
        if (context.caller !== 'gateway') throw publicOnly();
        return this.#streams.take(input as StreamStep, context);
      case 'operate':
        return this.#operate(input as PassedOn, context);
      case 'identify':
        if (context.caller !== 'home')
          throw betweenProcesses('forbidden', 'only the home process may identify the data of a module');
        return this.parts.databases.identify(module, input as never);
      case 'introduce':
        return this.introduced(input, context);
    }
  }

  async #condition(module: OpenModule): Promise<Condition> {
    const { writeProbes, state } = this.parts;
    const [writes, undelivered] = await Promise.all([
      writeProbes.takesWrites(module),
      undeliveredOf(() => oldestEvents(module)),
    ]);
    return { writes, why: writeProbes.whyNot(module.name), stopping: state.stopping, undelivered };
  }

  async #receive(input: unknown, { caller }: CallContext, take: Take): Promise<object> {
    if (!this.definition.about.listensTo.includes(caller)) throw notDeclared(this.#name, caller, 'listensTo');
    const { events } = parseInput(ofKernel('receive', this.#name).input, input) as { events: string[] };
    const envelopes = events.map((event) => parseInput(envelopeSchema, parseEvent(event)));
    if (envelopes.some(({ source }) => source !== `/modules/${caller}`))
      throw betweenProcesses('forbidden', 'an event comes from its own module');
    if (envelopes.length > 0) await take(envelopes.map(encodeAgain), envelopes);
    return {};
  }

  /** Executes a request that the operators have signed. The caller's identity is not enough: only an operator may give orders. */
  async #operate(asked: PassedOn, { caller }: CallContext): Promise<PassedBack> {
    const { adminRoutes, identity, home } = this.parts;
    if (home || caller !== 'home')
      throw betweenProcesses('forbidden', 'send the request of an operator to the home process');
    await verifyOrder(asked.headers[orderHeader], { ...asked, module: this.#name }, identity);
    return toPassedBack(await adminRoutes.fetch(fromPassedOn(asked), { passedOn: this.#name }));
  }

  async #resource(request: Request): Promise<Response> {
    if (!this.#routes) throw refusal('not-found', `${this.#name} has no public resources`);
    try {
      return await this.#routes.fetch(request);
    } catch (error) {
      this.#noteFailed(error, request);
      return problemResponse(error);
    }
  }

  #noteFailed(error: unknown, { method, url }: Request): void {
    const { pathname, search } = new URL(url);
    const fields = { method, path: `${pathname}${search}` };
    this.#failures.add({ message: 'a public request failed', error, fields });
  }
}

type Take = (
  events: ReturnType<typeof encodeAgain>[],
  envelopes: Parameters<typeof encodeAgain>[0][],
) => Promise<unknown>;

function publicOnly(): Error {
  return betweenProcesses('forbidden', 'public resources are reached through the gateway');
}

function notDeclared(module: string, other: string, list: 'uses' | 'listensTo'): Error {
  return betweenProcesses('forbidden', `"${module}" does not declare "${other}" in the "${list}" of its module.json`);
}
