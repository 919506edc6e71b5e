import { setTimeout } from 'node:timers/promises';
import { background, crashPoint } from '../../kernel/context/index.ts';
import { messageOf } from '../../kernel/errors/index.ts';
import { traced } from '../../kernel/telemetry/index.ts';
import type { StepObservation } from '../admin-contract/index.ts';

/** A completed step of a move: its duration and its details. */
export interface StepDone {
  readonly step: string;
  readonly ms: number;
  readonly [detail: string]: unknown;
}

/** A message about the progress of a move. */
export type Progress =
  | { readonly begun: string }
  | { readonly watched: string; readonly seen: StepObservation }
  | { readonly done: StepDone }
  | { readonly failed: string; readonly why: string }
  | { readonly takenBack: string };

interface Step {
  readonly name: string;
  readonly withinMs: number;
  /** Resolves with the details of the step. */
  run(aborted: AbortSignal): Promise<unknown>;
  /** Undoes the complete or partial effects of `run`. Called after `run` has ended, even if the step was aborted or timed out. */
  undo?(): Promise<void>;
  /** Makes `run` end early when the step was aborted or timed out. For a step that could run for long. */
  interrupt?(): Promise<void>;
}

/** A failed step, with the message of its cause. */
export class StepFailed extends Error {
  readonly step: string;

  constructor(step: string, cause: unknown) {
    super(messageOf(cause), { cause });
    this.step = step;
  }
}

/**
 * Runs steps one after the other and remembers how to undo them. A step that fails, times out or is aborted ends the move;
 * `rollBack` then undoes all steps, the last one first.
 */
export class Journal {
  readonly steps: StepDone[] = [];
  /** Whether the last step runs. */
  finishing = false;
  readonly #undos: { name: string; undo: () => Promise<void> }[] = [];
  private readonly module: string;
  private readonly aborted: AbortSignal;
  private readonly tell: (progress: Progress) => void;

  constructor(module: string, aborted: AbortSignal, tell: (progress: Progress) => void) {
    this.module = module;
    this.aborted = aborted;
    this.tell = tell;
  }

  async step({ name, withinMs, run, undo, interrupt }: Step): Promise<void> {
    const startedAt = performance.now();
    this.tell({ begun: name });
    let ended = Promise.resolve();
    let isRunning = false;
    const takeBack = async () => {
      if (isRunning) await interrupt?.();
      await ended;
      await undo?.();
    };
    if (undo) this.#undos.push({ name, undo: takeBack });
    try {
      crashPoint('move', this.module, name, 'begun');
      const detail = await this.#within(withinMs, () => {
        const running = traced(`step ${name}`, {}, async () => run(this.aborted));
        isRunning = true;
        const end = () => {
          isRunning = false;
        };
        ended = running.then(end, end);
        return running;
      });
      crashPoint('move', this.module, name, 'done');
      this.#done(name, startedAt, detail as object);
    } catch (error) {
      this.tell({ failed: name, why: messageOf(error) });
      throw new StepFailed(name, error);
    }
  }

  /** Runs the last step, which is neither aborted nor undone. Reports a failure as its `trouble`. */
  async finish(name: string, run: () => Promise<unknown>): Promise<void> {
    const startedAt = performance.now();
    this.finishing = true;
    this.tell({ begun: name });
    crashPoint('move', this.module, name, 'begun');
    const trouble = await traced(`step ${name}`, {}, run).then(
      () => undefined,
      (error: unknown) => messageOf(error),
    );
    crashPoint('move', this.module, name, 'done');
    this.#done(name, startedAt, trouble === undefined ? {} : { trouble });
  }

  /** Reports an observation in a long step. */
  watched(step: string, seen: StepObservation): void {
    this.tell({ watched: step, seen });
  }

  /** Resolves after `delayMs`; rejects at once when the move is aborted. */
  async pause(delayMs: number): Promise<void> {
    await setTimeout(delayMs, undefined, { signal: this.aborted }).catch(() => {
      throw this.aborted.reason;
    });
  }

  /** Undoes every step, even when another cannot be undone. Resolves with a message for each step that could not be undone. */
  async rollBack(): Promise<string[]> {
    const troubles: string[] = [];
    for (const { name, undo } of this.#undos.reverse()) {
      try {
        await traced(`take back ${name}`, {}, undo);
        this.tell({ takenBack: name });
      } catch (error) {
        troubles.push(`${name}: ${messageOf(error)}`);
      }
    }
    return troubles;
  }

  #done(step: string, startedAt: number, detail: object): void {
    const done = { step, ms: Math.round((performance.now() - startedAt) * 10) / 10, ...detail };
    this.steps.push(done);
    this.tell({ done });
  }

  #within<T>(withinMs: number, run: () => Promise<T>): Promise<T> {
    this.aborted.throwIfAborted();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = background.setTimeout(() => reject(new Error(`it took longer than ${withinMs} ms`)), withinMs);
    return Promise.race([late, unlessAborted(this.aborted, run())]).finally(() => clearTimeout(timer));
  }
}

/** Resolves like `work`, but rejects with the reason as soon as `aborted` fires. The work continues. */
export async function unlessAborted<T>(aborted: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(aborted.reason);
  if (aborted.aborted) abort();
  aborted.addEventListener('abort', abort, { once: true });
  return Promise.race([work, promise]).finally(() => aborted.removeEventListener('abort', abort));
}
