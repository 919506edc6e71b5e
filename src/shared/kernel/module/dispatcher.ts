import {
  byDeadline,
  type CallRequest,
  composeSteps,
  type Dispatch,
  type Ending,
  type RoadHooks,
  road,
  type ServedCall,
  type ServedCounter,
  timeOneOf,
} from '../calls/index.ts';
import { type CallContext, type Clock, crashPoint, currentContext, serveInContext } from '../context/index.ts';
import { type AsSent, asSentBy, type Contract, inputParserOf, type Operation, parserOf } from '../contract/index.ts';
import type { Reader } from '../database/index.ts';
import { isKernelCode, isRefusal, NotWritten, notWrittenIn, refusal } from '../errors/index.ts';
import { FailureLog, type Log } from '../telemetry/index.ts';
import { CallsInFlight } from './calls-in-flight.ts';
import { findAnswer, type KeyedCommand, keyedCommand, recordAnswer } from './commands.ts';
import { CommandInSteps } from './in-steps.ts';
import { LocalCallEnding } from './local-call-ending.ts';
import type { InSteps, ModuleUnit, Steps } from './module.ts';

type Simple = (input: unknown, place: Reader | ModuleUnit) => Promise<unknown>;
export type AnyHandler = Simple | InSteps<unknown, unknown>;

/** An operation and its handler. */
interface Handling {
  readonly operation: Operation;
  readonly toInput: (input: unknown) => unknown;
  readonly asSent: AsSent;
  readonly run: (input: unknown) => Promise<unknown>;
  /**
   * Whether the operation waits until its caller's commits are on disk. A query waits because it reads; an operation in steps, because it
   * may tell others. A command in one unit does not wait.
   */
  readonly waits: boolean;
  /** Runs a command that has an idempotency key. */
  readonly once: ((input: unknown, command: KeyedCommand) => Promise<unknown>) | undefined;
}

/** An operation with the way to its handler, and the ends of its calls. */
interface ServedOperation extends Handling {
  /** Leads a call through the callee's part of the road, to the handler. */
  readonly walk: (call: ServedCall) => Promise<unknown>;
  /** For calls from another process: validates the handler's output, and turns every error into a refusal. */
  readonly done: (output: unknown) => unknown;
  readonly rejects: (error: unknown) => never;
  /** Does the same for a caller in this process. */
  readonly ending: Ending<unknown, CallRequest>;
  readonly counter: ServedCounter | undefined;
  /** Number of the calls of callers in this process. */
  calls: number;
}

/** Serves the operations of a module in the same way for every transport. */
export class Dispatcher {
  readonly #served = new Map<string, ServedOperation>();
  readonly #failures: FailureLog;
  /** Counts the calls of local callers. The internal service adds the calls of other processes. */
  readonly inFlight = new CallsInFlight();
  private readonly contract: Contract;
  private readonly steps: Steps;
  private readonly clock: Clock;
  /** Runs a unit of work for a caller that continues in this process alone. */
  private readonly workAhead: Steps['work'];

  constructor(
    contract: Contract,
    handlers: Readonly<Record<string, AnyHandler>>,
    steps: Steps,
    clock: Clock,
    log: Log,
    workAhead: Steps['work'] = steps.work,
    hooks: Pick<RoadHooks, 'servers' | 'counter'> = {},
  ) {
    this.contract = contract;
    this.steps = steps;
    this.clock = clock;
    this.workAhead = workAhead;
    this.#failures = new FailureLog(log, clock);
    for (const operation of Object.values(contract.operations)) {
      // `Handlers` has a handler of each operation.
      const handler = handlers[operation.name]!;
      const once = operation.kind === 'command' ? this.#once(operation, handler) : undefined;
      const run = this.#runner(operation, handler);
      const [toInput, asSent] = [inputParserOf(operation.input), asSentBy(operation.input)];
      const waits = operation.kind === 'query' || typeof handler !== 'function';
      const handling = { operation, toInput, asSent, run, waits, once };
      const walk = composeSteps(road.callee, { operation, ...hooks }, (call) => handle(handling, call));
      this.#served.set(operation.name, {
        ...handling,
        walk,
        ...this.#endings(operation, hooks.counter?.served(operation)),
        calls: 0,
      });
    }
  }

  /** Parses the input, runs the handler in the context of the call, and parses the output. Rejects only with a `Refusal`. */
  readonly dispatch: Dispatch = (name, input, context, request) => {
    const served = this.#served.get(name);
    if (!served) return Promise.reject(refusal('not-found', `${this.contract.name} has no operation "${name}"`));
    const work = served.walk({ input, context });
    if (!request) {
      const answer = work.then(served.done, served.rejects);
      served.counter?.remote(context, answer);
      return answer;
    }
    this.inFlight.begun();
    const answer = byDeadline(work, context, served.operation, served.ending, request);
    if (served.counter && served.calls++ % timeOneOf === 0) served.counter.timed(context, answer);
    return answer;
  };

  /** Creates the endings of an operation once. All its calls share them. */
  #endings(
    { kind, module, name, output: schema }: Operation,
    counter: ServedCounter | undefined,
  ): Pick<ServedOperation, 'done' | 'rejects' | 'ending' | 'counter'> {
    const toOutput = parserOf(schema);
    const failed = (error: unknown) => this.#asRefusal(error, name);
    const done = (output: unknown): unknown => {
      try {
        if (kind === 'command') crashPoint('command', module, name, 'done');
        return toOutput(output);
      } catch (error) {
        throw failed(error);
      }
    };
    const rejects = (error: unknown) => {
      throw failed(error);
    };
    return { done, rejects, ending: new LocalCallEnding(done, failed, this.inFlight, counter), counter };
  }

  #runner(operation: Operation, handler: AnyHandler): (input: unknown) => Promise<unknown> {
    const { steps } = this;
    if (typeof handler !== 'function') return (input) => handler.inSteps(input, steps);
    if (operation.kind === 'query') return (input) => handler(input, steps.read);
    return (input) => this.#work((unit) => handler(input, unit));
  }

  #work<T>(task: (unit: ModuleUnit) => Promise<T>): Promise<T> {
    return currentContext()?.onDisk ? this.workAhead(task) : this.steps.work(task);
  }

  /** Returns the runner of a command with a key. A repeat gets the recorded answer. */
  #once(operation: Operation, handler: AnyHandler) {
    const { steps, clock } = this;
    const toOutput = parserOf(operation.output);
    const { module, name } = operation;
    if (typeof handler !== 'function') {
      const inSteps = new CommandInSteps({ module, name, handler, toOutput, steps, clock });
      return (input: unknown, command: KeyedCommand) => inSteps.once(input, command);
    }
    return (input: unknown, command: KeyedCommand) =>
      this.#work(async (unit) => {
        const earlier = await findAnswer(unit, command);
        if (earlier) return earlier.output;
        const output = toOutput(await handler(input, unit));
        await recordAnswer(unit, command, output, clock.now());
        crashPoint('command', module, name, 'handled');
        return output;
      });
  }

  #asRefusal(error: unknown, operation: string): unknown {
    // `overloaded` tells the caller that no work began. The handler cannot promise that when its own callee was overloaded.
    if (isRefusal(error, 'overloaded')) return refusal('unavailable', error.message, {}, { cause: error });
    const told = isRefusal(error) && (isKernelCode(error.code) || Object.hasOwn(this.contract.errors, error.code));
    if (told && !(error instanceof NotWritten)) return error;
    const name = `${this.contract.name}.${operation}`;
    this.#failures.add({ message: 'an operation failed', error, kind: name, fields: { operation: name } });
    return told ? error : (notWrittenIn(error) ?? refusal('internal'));
  }
}

function handle(operation: Handling, { input, context }: ServedCall): Promise<unknown> {
  if (operation.waits && context.onDisk) return handledOnceOnDisk(operation, input, context);
  return handled(operation, input, context);
}

/** Runs the handler once the commits that its caller relies on are on disk. Answers a command as soon as its answer is committed. */
async function handledOnceOnDisk(served: Handling, given: unknown, context: CallContext): Promise<unknown> {
  await context.onDisk?.();
  return new Promise((resolve, reject) => {
    handled(served, given, { ...context, onDisk: undefined }, resolve).then(resolve, reject);
  });
}

/** Parses the input and runs the handler. Rejects, and does not throw, when the input is invalid. */
function handled(
  { operation, toInput, asSent, run, once }: Handling,
  given: unknown,
  context: CallContext,
  answered?: (output: unknown) => void,
): Promise<unknown> {
  try {
    const input = toInput(given);
    const { caller, idempotencyKey } = context;
    if (!idempotencyKey || !once) return serveInContext(context, run, input);
    const sent = asSent(given, input);
    const command = keyedCommand({ caller, operation: operation.name, idempotencyKey, sent, input, answered });
    return serveInContext(context, once, input, command);
  } catch (error) {
    return Promise.reject(error);
  }
}
