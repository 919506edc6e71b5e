import { setTimeout } from 'node:timers/promises';
import { background, crashPoint } from '../../kernel/context/index.ts';
import { messageOf } from '../../kernel/errors/index.ts';

/** A step of a move that is done: how long it took, and what there is to say about it. */
export interface StepDone {
  readonly step: string;
  readonly ms: number;
  readonly [detail: string]: unknown;
}

/** What a move tells whoever watches it. */
export type Progress =
  | { readonly begun: string }
  | { readonly watched: string; readonly seen: object }
  | { readonly done: StepDone }
  | { readonly failed: string; readonly why: string }
  | { readonly takenBack: string };

interface Step {
  readonly name: string;
  readonly withinMs: number;
  /** Resolves with what there is to say about it. */
  run(aborted: AbortSignal): Promise<unknown>;
  /** Takes back what `run` did, or began to do. Called when that has ended: later, where the step was aborted or took too long. */
  undo?(): Promise<void>;
  /** Has `run` end, where it was aborted or took too long: for one that could go on for long. */
  interrupt?(): Promise<void>;
}

/** A step that failed, with the words for it. */
export class StepFailed extends Error {
  readonly step: string;

  constructor(step: string, cause: unknown) {
    super(messageOf(cause), { cause });
    this.step = step;
  }
}

/**
 * Runs steps one after the other and remembers how to take them back. A step that fails, takes too long or is aborted ends the
 * whole; `rollBack` then takes everything back, the last first.
 */
export class Journal {
  readonly steps: StepDone[] = [];
  /** Whether it is in its last step. */
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
    let underWay = false;
    const takeBack = async () => {
      if (underWay) await interrupt?.();
      await ended;
      await undo?.();
    };
    if (undo) this.#undos.push({ name, undo: takeBack });
    try {
      crashPoint('move', this.module, name, 'begun');
      const detail = await this.#within(withinMs, () => {
        const running = (async () => run(this.aborted))();
        underWay = true;
        const end = () => {
          underWay = false;
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

  /** The last step, after which there is nothing to take back: it is not aborted, and what fails in it is told as its `trouble`. */
  async finish(name: string, run: () => Promise<unknown>): Promise<void> {
    const startedAt = performance.now();
    this.finishing = true;
    this.tell({ begun: name });
    crashPoint('move', this.module, name, 'begun');
    const trouble = await run().then(
      () => undefined,
      (error: unknown) => messageOf(error),
    );
    crashPoint('move', this.module, name, 'done');
    this.#done(name, startedAt, trouble === undefined ? {} : { trouble });
  }

  /** What there is to be seen in a step that goes on for a while. */
  watched(step: string, seen: object): void {
    this.tell({ watched: step, seen });
  }

  /** Resolves after a while; rejects at once when the move is aborted. */
  async pause(delayMs: number): Promise<void> {
    await setTimeout(delayMs, undefined, { signal: this.aborted }).catch(() => {
      throw this.aborted.reason;
    });
  }

  /** Resolves with what could not be taken back, in words; what can be is, whatever becomes of the rest. */
  async rollBack(): Promise<string[]> {
    const troubles: string[] = [];
    for (const { name, undo } of this.#undos.reverse()) {
      try {
        await undo();
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

/** The same, but rejects with the reason as soon as it is aborted. The work goes on. */
export async function unlessAborted<T>(aborted: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(aborted.reason);
  if (aborted.aborted) abort();
  aborted.addEventListener('abort', abort, { once: true });
  return Promise.race([work, promise]).finally(() => aborted.removeEventListener('abort', abort));
}
