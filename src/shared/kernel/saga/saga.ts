import type { z } from 'zod';
import type { Operation } from '../contract/index.ts';
import type { Unit } from '../database/index.ts';

type Make<D, I> = (data: D) => I;
type OperationLike = {
  readonly module: string;
  readonly name: string;
  readonly input: z.ZodType;
  readonly output: z.ZodType;
};

/** One thing to be done, and how to take it back. */
export type Step<D> = CallStep<D> | RunStep<D> | WriteStep<D>;

export interface CallStep<D> {
  readonly kind: 'call';
  readonly name: string;
  readonly operation: Operation;
  readonly input: Make<D, unknown>;
  /** What of the answer the later steps need. */
  readonly keep?: (output: never) => object;
  readonly undo?: { operation: Operation; input: Make<D, unknown> };
  readonly pointOfNoReturn?: true;
  readonly condition?: (data: D) => boolean;
}

export interface RunStep<D> {
  readonly kind: 'run';
  readonly name: string;
  /**
   * Reaches outside the system; may happen again after a crash, with the same key. The signal is aborted when its time is over: it is
   * then run again, so that what goes on must have no effect of its own.
   */
  readonly task: (data: D, idempotencyKey: string, signal: AbortSignal) => Promise<unknown>;
  /** How long it may take, in milliseconds. */
  readonly limitMs: number;
}

export interface WriteStep<D> {
  readonly kind: 'write';
  readonly name: string;
  /** Writes to the owning module's data, in the unit that records the saga's progress. */
  readonly task: (unit: never, data: D) => Promise<void>;
}

/** A sequence of steps over modules that ends done or taken back, whatever crashes in between. */
export interface Saga<D = never, U extends Unit = Unit> {
  readonly name: string;
  readonly version: number;
  /** Checked when one is started. */
  readonly data: z.ZodType;
  /** How long it keeps trying before it takes back what it did, in milliseconds. Without one it goes forward only. */
  readonly deadlineMs?: number;
  readonly steps: readonly Step<D>[];
  /** What is written when everything has been taken back; `reason` is the code that ended it. */
  readonly compensated?: (unit: U, data: D, reason: string) => Promise<void>;
}

interface CallStepBuilder<D> extends CallStep<D> {
  compensate<O extends OperationLike>(operation: O, input: Make<D, z.input<O['input']>>): CallStepBuilder<D>;
  /** From here the saga goes forward only: this step is repeated until it succeeds. */
  thenNoReturn(): CallStepBuilder<D>;
  /** Skips the step when `condition` does not hold. */
  when(condition: (data: D) => boolean): CallStepBuilder<D>;
}

const defaultRunMs = 60_000;

/** Begins a step: `step<Checkout>('take payment').call(payments.operations.authorize, …).compensate(…)`. */
export function step<D, U extends Unit = Unit>(name: string) {
  return {
    call<O extends OperationLike>(
      operation: O,
      input: Make<D, z.input<O['input']>>,
      keep?: (output: z.output<O['output']>) => Partial<D>,
    ): CallStepBuilder<D> {
      return callStep({ kind: 'call', name, operation: operation as unknown as Operation, input, keep: keep as never });
    },
    run(task: RunStep<D>['task'], limitMs = defaultRunMs): RunStep<D> {
      return { kind: 'run', name, task, limitMs };
    },
    write(task: (unit: U, data: D) => Promise<void>): WriteStep<D> {
      return { kind: 'write', name, task: task as never };
    },
  };
}

function callStep<D>(made: CallStep<D>): CallStepBuilder<D> {
  return {
    ...made,
    compensate: (operation, input) =>
      callStep({ ...made, undo: { operation: operation as unknown as Operation, input: input as Make<D, unknown> } }),
    thenNoReturn: () => callStep({ ...made, pointOfNoReturn: true }),
    when: (condition) => callStep({ ...made, condition }),
  };
}

/** Operations a saga calls: what its module must declare in `uses`. */
export function calledBy(saga: Saga<never, never>): Operation[] {
  return saga.steps.flatMap((each) =>
    each.kind === 'call' ? [each.operation, ...(each.undo ? [each.undo.operation] : [])] : [],
  );
}

/** What tells sagas, and their releases, apart. */
export function keyOf({ name, version }: { name: string; version: number }): string {
  return `${name}.v${version}`;
}

/** Where a saga calls `module`, forward or taking back. */
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
