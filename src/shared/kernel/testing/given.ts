import type { z } from 'zod';
import { type Operation, parseInput } from '../contract/index.ts';
import type { Unit } from '../database/index.ts';
import { type Refusal, refusal } from '../errors/index.ts';
import type { Saga, SagaState } from '../saga/index.ts';
import { type Ended, type Given, ScenarioRunner, type Scripted } from './scenario-runner.ts';

/** The rest of a scenario: the next call, or the end. */
export interface Script {
  /** Expects this operation as the next call; with `input`, when it is given. */
  expects<O extends Operation>(operation: O, input?: z.input<O['input']>): ReplyStep<O>;
  /**
   * Runs the saga. The clock advances when the saga waits. Rejects when a call is unexpected, an expected call is missing, or the saga
   * ends in another state.
   */
  ends(state: SagaState): Promise<Ended>;
}

/** The outcome of the expected call. */
export interface ReplyStep<O extends Operation> {
  replies(output: z.input<O['output']>): RepliedStep;
  /** Refuses the call: the callee did nothing. */
  refuses(refusal: Refusal): RepliedStep;
  /** Fails without a decision, `times` times in a row. The saga repeats the call with the same key. */
  fails(times?: number, error?: Error): RepeatedStep<O>;
  /** Loses the answer after the callee did its work. */
  timesOut(): RepeatedStep<O>;
  /** Crashes the calling process after the callee did its work, before the answer is recorded. Another process takes over. */
  crashes(): RepeatedStep<O>;
}

export interface RepliedStep extends Script {
  /** Delays the answer until `ms` milliseconds after the call. */
  after(ms: number): this;
}

/** The saga may repeat the call, or continue with another one. */
export interface RepeatedStep<O extends Operation> extends RepliedStep, ReplyStep<O> {}

/**
 * Begins a scenario of a saga without a server. The real runner works on a database of its own, and the callees behave as the
 * scenario says.
 *
 *     await given(checkout(30_000), data)
 *       .expects(inventory.operations.reserve).replies(held)
 *       .expects(payments.operations.authorize).refuses(payments.refuse('payment-declined'))
 *       .expects(inventory.operations.release).replies(released)
 *       .ends('compensated');
 */
export function given<D, U extends Unit>(saga: Saga<D, U>, data: D, ground: Given<U> = {}): Script {
  return new Story((script) => new ScenarioRunner(saga, data, ground, script).run());
}

class Story implements RepeatedStep<Operation> {
  readonly #script: Scripted[] = [];
  /** The expected call. The types let a script name an outcome only after a call, and `after` only after an outcome: so `!` holds. */
  #call: Pick<Scripted, 'operation' | 'input'> | undefined;
  #again = false;
  private readonly run: (script: readonly Scripted[]) => Promise<Ended>;

  constructor(run: (script: readonly Scripted[]) => Promise<Ended>) {
    this.run = run;
  }

  expects(operation: Operation, input?: unknown): this {
    const parsed = input === undefined ? undefined : parseInput(operation.input, input);
    this.#call = { operation, input: parsed };
    this.#again = false;
    return this;
  }

  replies(output: unknown): this {
    const answer = this.#call!.operation.output.parse(output);
    return this.#then(async () => answer);
  }

  refuses(no: Refusal): this {
    return this.#throws(no);
  }

  fails(times = 1, error: Error = refusal('internal')): this {
    for (let time = 0; time < times; time++) this.#throws(error);
    return this;
  }

  timesOut(): this {
    return this.#throws(refusal('timeout'));
  }

  crashes(): this {
    return this.#then('crash');
  }

  after(ms: number): this {
    this.#script.at(-1)!.afterMs = ms;
    return this;
  }

  async ends(state: SagaState): Promise<Ended> {
    const ended = await this.run(this.#script);
    if (ended.state === state) return ended;
    throw new Error(`the saga ended ${ended.state}, not ${state}: ${ended.history.join(', ')}`);
  }

  #throws(error: Error): this {
    return this.#then(() => Promise.reject(error));
  }

  #then(outcome: Scripted['outcome']): this {
    this.#script.push({ ...this.#call!, outcome, again: this.#again, afterMs: 0 });
    this.#again = true;
    return this;
  }
}
