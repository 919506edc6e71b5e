import type { z } from 'zod';
import { asLocalCallerSees, byDeadline, type CallRequest, type CallSource, createCall } from '../calls/index.ts';
import type { CallContext } from '../context/index.ts';
import { type Contract, mismatch, type Operation, parserOf } from '../contract/index.ts';
import { isKernelCode, isRefusal, messageOf, refusal } from '../errors/index.ts';
import type { UsedContracts } from '../module/index.ts';

type AnyOperation = Pick<Operation, 'input' | 'output'>;
type Answer<O extends AnyOperation> = z.input<O['output']>;

/** Answers an operation of another module. It gets the parsed input, and the context of the call. It may throw a declared refusal. */
// A conditional type, because TypeScript keeps the literals in the answer of a function (`'held'`) for these only.
export type Stub<O extends AnyOperation> = O extends AnyOperation
  ? (input: z.output<O['input']>, call: CallContext) => Answer<O> | Promise<Answer<O>>
  : never;

/** The stubs of a test: by the name of the module in `uses`, then by operation. A test stubs the operations that it needs. */
export type Stubs<U extends UsedContracts> = {
  readonly [M in keyof U]?: { readonly [O in keyof U[M]['operations']]?: Stub<U[M]['operations'][O]> };
};

type AnyStub = (input: unknown, call: CallContext) => unknown;

/**
 * Answers the calls of a module under test by its stubs. Checks inputs, outputs and refusals by the contract of the stubbed module, and
 * keeps each breach of it: a module may swallow an error that must fail the test. A repeated command with the same key gets its first
 * answer again, as from a real module.
 */
export class StubbedModules {
  readonly #contracts = new Map<string, Contract>();
  readonly #stubs = new Map<string, AnyStub>();
  readonly #answers = new Map<string, unknown>();
  readonly #breaches: Error[] = [];

  constructor(uses: UsedContracts, stubs: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>) {
    for (const [key, contract] of Object.entries(uses)) {
      this.#contracts.set(contract.name, contract);
      for (const [operation, stub] of Object.entries(stubs[key] ?? {}))
        if (stub) this.#stubs.set(`${contract.name}.${operation}`, stub as AnyStub);
    }
  }

  readonly calls: CallSource = (operation, caller) =>
    createCall(operation, caller, () => ({ call: (request) => this.#call(request) }));

  /** Throws the first breach of a contract since the last time. */
  throwBreach(): void {
    const [first] = this.#breaches.splice(0);
    if (first) throw first;
  }

  async #call(request: CallRequest): Promise<unknown> {
    try {
      return await byDeadline(this.#answer(request), request.context, request.operation);
    } catch (error) {
      throw asLocalCallerSees(error, request);
    }
  }

  async #answer({ operation, input: given, context }: CallRequest): Promise<unknown> {
    const name = `${operation.module}.${operation.name}`;
    const stub = this.#stubs.get(name);
    if (!stub)
      throw this.#breach(`${context.caller} called ${name}, for which this test has no stub; ${howTo(operation)}`);
    const input = this.#parsed(operation.input, given, `${context.caller} called ${name} with invalid input`);
    const key =
      operation.kind === 'command' && context.idempotencyKey ? `${name} ${context.idempotencyKey}` : undefined;
    if (key && this.#answers.has(key)) return asJson(this.#answers.get(key));
    const answer = await this.#asked(stub, operation, input, context);
    const output = this.#parsed(operation.output, answer, `the stub of ${name} answered with an invalid output`);
    if (key) this.#answers.set(key, output);
    return output;
  }

  async #asked(stub: AnyStub, { module, name }: Operation, input: unknown, context: CallContext): Promise<unknown> {
    try {
      return await stub(input, context);
    } catch (error) {
      // The stubs are those of these contracts.
      const declared = Object.keys(this.#contracts.get(module)!.errors);
      if (isRefusal(error) && (isKernelCode(error.code) || declared.includes(error.code))) throw error;
      const codes = declared.length > 0 ? `"${declared.join('", "')}"` : 'no refusal';
      const thrown = isRefusal(error) ? `refused with "${error.code}"` : `threw an error: ${messageOf(error)}`;
      throw this.#breach(
        `the stub of ${module}.${name} ${thrown}; ${module} declares ${codes}, and any call may fail by refusal('unavailable')`,
        error,
      );
    }
  }

  #parsed(schema: z.ZodType, value: unknown, what: string): unknown {
    const copy = asJson(value);
    try {
      return parserOf(schema)(copy);
    } catch (error) {
      throw this.#breach(`${what}: ${mismatch(schema, copy).message}`, error);
    }
  }

  /** Keeps a breach for the test. Returns the refusal that the caller gets. */
  #breach(message: string, cause?: unknown): Error {
    const breach = new Error(message, { cause });
    this.#breaches.push(breach);
    return refusal('internal', message, {}, { cause: breach });
  }
}

function howTo({ module, name }: Operation): string {
  return `add it: stubs: { ${module}: { ${name}: async (input) => … } }`;
}

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
