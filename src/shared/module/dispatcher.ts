import type { Clock } from '../clock/index.ts';
import { type CallContext, runInContext } from '../context/index.ts';
import { type Contract, type Operation, parseInput } from '../contract/index.ts';
import type { Reader } from '../data/index.ts';
import { isKernelCode, isRefusal, refusal } from '../errors/index.ts';
import type { Log } from '../observability/index.ts';
import { earlierAnswer, type KeyedCommand, keyedCommand, rememberAnswer } from './commands.ts';
import type { InSteps, ModuleUnit, Steps } from './module.ts';

type Simple = (input: unknown, place: Reader | ModuleUnit) => Promise<unknown>;
type AnyHandler = Simple | InSteps<unknown, unknown>;

/** Serves a module's operations, alike for every transport that brings a call. */
export class Dispatcher {
  readonly #served = new Map<string, (input: unknown, context: CallContext) => Promise<unknown>>();
  #underWay = 0;
  #whenIdle: (() => void) | undefined;

  constructor(
    private readonly contract: Contract,
    handlers: Readonly<Record<string, AnyHandler>>,
    private readonly steps: Steps,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    for (const operation of Object.values(contract.operations) as Operation[]) {
      this.#served.set(operation.name, this.#server(operation, handlers[operation.name]!));
    }
  }

  /** Input through the schema, the handler in its context, output through the schema. Rejects with a `Refusal` only. */
  readonly dispatch = async (name: string, input: unknown, context: CallContext): Promise<unknown> => {
    const serve = this.#served.get(name);
    if (!serve) throw refusal('not-found', `${this.contract.name} has no operation "${name}"`);
    this.#underWay += 1;
    try {
      return await runInContext(context, () => serve(input, context));
    } catch (error) {
      throw this.#asRefusal(error, name);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#whenIdle?.();
    }
  };

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
  }

  #server(operation: Operation, handler: AnyHandler) {
    const run = this.#runner(operation, handler);
    const once = operation.kind === 'command' ? this.#once(operation, handler) : undefined;
    const { input, output } = operation;
    return async (value: unknown, context: CallContext) => {
      const parsed = parseInput(input, value);
      const key = context.idempotencyKey;
      return output.parse(
        key && once ? await once(parsed, keyedCommand(context.caller, operation.name, key, parsed)) : await run(parsed),
      );
    };
  }

  #runner(operation: Operation, handler: AnyHandler): (input: unknown) => Promise<unknown> {
    const { steps } = this;
    if (typeof handler !== 'function') return (input) => handler.inSteps(input, steps);
    if (operation.kind === 'query') return (input) => handler(input, steps.read);
    return (input) => steps.work((unit) => handler(input, unit));
  }

  /** A command with a key: answered from memory when it was done before. */
  #once(operation: Operation, handler: AnyHandler) {
    const { steps, clock } = this;
    if (typeof handler === 'function') {
      return (input: unknown, command: KeyedCommand) =>
        steps.work(async (unit) => {
          const earlier = await earlierAnswer(unit, command);
          if (earlier) return earlier.output;
          const output = operation.output.parse(await handler(input, unit));
          await rememberAnswer(unit, command, output, clock.now());
          return output;
        });
    }
    return async (input: unknown, command: KeyedCommand) => {
      const earlier = await earlierAnswer(steps.read, command);
      if (earlier) return earlier.output;
      const output = operation.output.parse(await handler.inSteps(input, steps));
      await steps.work((unit) => rememberAnswer(unit, command, output, clock.now()));
      return output;
    };
  }

  #asRefusal(error: unknown, operation: string): unknown {
    if (isRefusal(error) && (isKernelCode(error.code) || Object.hasOwn(this.contract.errors, error.code))) return error;
    this.log.error({ error, operation: `${this.contract.name}.${operation}` }, 'an operation failed');
    return refusal('internal');
  }
}
