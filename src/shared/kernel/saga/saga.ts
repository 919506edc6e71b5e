import type { z } from 'zod';
import type { Operation } from '../contract/index.ts';
import type { Unit } from '../database/index.ts';

type Make<D, I> = (data: D) => I;

/** One action of a saga, with its compensation if it has one. */
export type Step<D, U extends Unit = Unit> = CallStep<D> | RunStep<D> | WriteStep<D, U>;

export interface CallStep<D> {
  readonly kind: 'call';
  readonly name: string;
  readonly operation: Operation;
  readonly input: Make<D, unknown>;
  /** Returns the part of the answer that later steps need. A method, because TypeScript lets it name the answer of its operation. */
  keep?(output: unknown): object;
  readonly undo?: { operation: Operation; input: Make<D, unknown> };
  readonly pointOfNoReturn?: true;
  readonly condition?: (data: D) => boolean;
}

export interface RunStep<D> {
  readonly kind: 'run';
  readonly name: string;
  /**
   * Reaches outside the system. May run again after a crash, with the same key. When its time is over, the executor aborts the signal
   * and runs the task again. The rest of the aborted run must therefore have no effect of its own.
   */
  readonly task: (data: D, idempotencyKey: string, signal: AbortSignal) => Promise<unknown>;
  /** Time limit of one run, in milliseconds. */
  readonly limitMs: number;
}

export interface WriteStep<D, U extends Unit = Unit> {
  readonly kind: 'write';
  readonly name: string;
  /** Writes to the owning module's data, in the unit that records the saga's progress. */
  readonly task: (unit: U, data: D) => Promise<void>;
}

/** The data of any saga, as a process reads them again after a crash. */
export type SagaData = Record<string, unknown>;

/** A saga that runs. Its runner gives it only data that its own schema has accepted. */
export type RunningSaga<U extends Unit> = Saga<SagaData, U>;

/** A sequence of steps across modules that ends done or compensated, whatever crashes in between. */
export interface Saga<D = never, U extends Unit = Unit> {
  readonly name: string;
  readonly version: number;
  /** Validates the data when a saga starts. */
  readonly data: z.ZodType;
  /** Time that the saga keeps trying before it compensates, in milliseconds. Without a deadline, the saga only goes forward. */
  readonly deadlineMs?: number;
  readonly steps: readonly Step<D, U>[];
  /** Writes the owning module's data when all steps are compensated. `reason` is the error code that ended the saga. */
  readonly compensated?: (unit: U, data: D, reason: string) => Promise<void>;
}

interface CallStepBuilder<D> extends CallStep<D> {
  compensate<O extends Operation>(operation: O, input: Make<D, z.input<O['input']>>): CallStepBuilder<D>;
  /** Makes the saga go only forward from here: the saga repeats this step until it succeeds. */
  thenNoReturn(): CallStepBuilder<D>;
  /** Skips the step when `condition` does not hold. */
  when(condition: (data: D) => boolean): CallStepBuilder<D>;
}

const defaultRunMs = 60_000;

/** Begins a step: `step<Checkout>('take payment').call(payments.operations.authorize, …).compensate(…)`. */
export function step<D, U extends Unit = Unit>(name: string) {
  return {
    call<O extends Operation>(
      operation: O,
      input: Make<D, z.input<O['input']>>,
      keep?: (output: z.output<O['output']>) => Partial<D>,
    ): CallStepBuilder<D> {
      return callStep({ kind: 'call', name, operation, input, keep });
    },
    run(task: RunStep<D>['task'], limitMs = defaultRunMs): RunStep<D> {
      return { kind: 'run', name, task, limitMs };
    },
    write(task: (unit: U, data: D) => Promise<void>): WriteStep<D, U> {
      return { kind: 'write', name, task };
    },
  };
}

function callStep<D>(made: CallStep<D>): CallStepBuilder<D> {
  return {
    ...made,
    compensate: (operation, input) => callStep({ ...made, undo: { operation, input } }),
    thenNoReturn: () => callStep({ ...made, pointOfNoReturn: true }),
    when: (condition) => callStep({ ...made, condition }),
  };
}

/** Returns the operations that a saga calls. Its module must declare them in `uses`. */
export function calledBy(saga: Saga<never, never>): Operation[] {
  return saga.steps.flatMap((each) =>
    each.kind === 'call' ? [each.operation, ...(each.undo ? [each.undo.operation] : [])] : [],
  );
}

/** Returns the key that identifies a saga definition and its version. */
export function keyOf({ name, version }: { name: string; version: number }): string {
  return `${name}.v${version}`;
}

/** Returns the steps at which a saga calls `module`, forward or to compensate. */
export function stepsThatCall(module: string, { name, version, steps }: Saga<never, never>) {
  return steps.flatMap((step, index) => {
    if (step.kind !== 'call') return [];
    const at = { name, version, step: index };
    return [
      ...(step.operation.module === module ? [{ ...at, state: 'running' as const }] : []),
      ...(step.undo?.operation.module === module ? [{ ...at, state: 'compensating' as const }] : []),
    ];
  });
}
