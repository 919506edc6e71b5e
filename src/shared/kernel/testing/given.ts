import type { z } from 'zod';
import { type Operation, parseInput } from '../contract/index.ts';
import type { Unit } from '../database/index.ts';
import { type Refusal, refusal } from '../errors/index.ts';
import type { Saga, SagaState } from '../saga/index.ts';
import { type Ended, type Given, ScenarioRunner, type Scripted } from './scenario-runner.ts';

type OperationLike = { readonly module: string; readonly name: string; input: z.ZodType; output: z.ZodType };

/** What is to come: the next call, or the end. */
export interface Script {
  /** The next call is this one; with `input`, when that is said. */
  expects<O extends OperationLike>(operation: O, input?: z.input<O['input']>): ReplyStep<O>;
  /**
   * Runs the saga, on a clock that moves when nothing else does. Rejects when a call comes that was not expected, one that was
   * expected does not, or the saga ends otherwise.
   */
  ends(state: SagaState): Promise<Ended>;
}

/** What becomes of the call that is expected. */
export interface ReplyStep<O extends OperationLike> {
  replies(output: z.input<O['output']>): RepliedStep;
  /** Says no: nothing was done. */
  refuses(refusal: Refusal): RepliedStep;
  /** Fails without a decision, so many times in a row. The same call, with the same key, comes again. */
  fails(times?: number, error?: Error): RepeatedStep<O>;
  /** Does what it is asked, and its answer is lost. */
  timesOut(): RepeatedStep<O>;
  /** Does what it is asked, and the process that asked dies before the answer is written down. Another takes its place. */
  crashes(): RepeatedStep<O>;
}

export interface RepliedStep extends Script {
  /** The answer comes so many milliseconds after the call. */
  after(ms: number): this;
}

/** The saga may call again, or turn to something else. */
export interface RepeatedStep<O extends OperationLike> extends RepliedStep, ReplyStep<O> {}

/**
 * Begins the story of a saga, told without a server: the real runner, on a database of its own, and callees that do what the
 * story says.
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

class Story implements RepeatedStep<OperationLike> {
  readonly #script: Scripted[] = [];
  #call: Pick<Scripted, 'operation' | 'input'> | undefined;
  #again = false;
  private readonly run: (script: readonly Scripted[]) => Promise<Ended>;

  constructor(run: (script: readonly Scripted[]) => Promise<Ended>) {
    this.run = run;
  }

  expects(operation: OperationLike, input?: unknown): this {
    const parsed = input === undefined ? undefined : parseInput(operation.input, input);
    this.#call = { operation: operation as unknown as Operation, input: parsed };
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
