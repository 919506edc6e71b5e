import { type Cancel, type Clock, crashPoint, currentContext } from '../context/index.ts';
import { isRefusal } from '../errors/index.ts';
import { addAnswer, type CommandAnswer, findAnswer, type KeyedCommand, keyReused } from './commands.ts';
import type { InSteps, ModuleUnit, Steps } from './module.ts';

export interface CommandInStepsDependencies {
  readonly module: string;
  readonly name: string;
  readonly handler: InSteps<unknown, unknown>;
  readonly toOutput: (output: unknown) => unknown;
  readonly steps: Steps;
  readonly clock: Clock;
}

/** A parallel run has already answered, so this run rolls its unit back. */
class AnsweredBefore extends Error {
  override readonly name = 'AnsweredBefore';
}

/** Runs a command in steps once per key. Every repeat gets the first answer. */
export class CommandInSteps {
  readonly #inFlight = new Map<string, { fingerprint: string; outcome: Promise<unknown> }>();
  private readonly parts: CommandInStepsDependencies;

  constructor(parts: CommandInStepsDependencies) {
    this.parts = parts;
  }

  /** Gives a repeat the outcome of the command that is still running. When that run was cancelled or timed out, the repeat runs itself. */
  once(input: unknown, command: KeyedCommand): Promise<unknown> {
    const running = this.#inFlight.get(command.key);
    if (running && running.fingerprint !== command.fingerprint) return Promise.reject(keyReused());
    if (running)
      return running.outcome.catch((error) => {
        if (isCancelled(error) && !this.parts.steps.signal.aborted) return this.once(input, command);
        throw error;
      });
    const run = { fingerprint: command.fingerprint, outcome: this.#run(input, command) };
    this.#inFlight.set(command.key, run);
    const forget = () => {
      if (this.#inFlight.get(command.key) === run) this.#inFlight.delete(command.key);
    };
    const cancel = this.#atDeadline(forget);
    return run.outcome.finally(() => {
      cancel();
      forget();
    });
  }

  /** Forgets a run at the deadline of its call, so that a hanging run blocks no repeat. A repeat runs in parallel; one of them answers. */
  #atDeadline(forget: () => void): Cancel {
    const { clock } = this.parts;
    const leftMs = (currentContext()?.deadline ?? Number.POSITIVE_INFINITY) - Date.now();
    return Number.isFinite(leftMs) ? clock.after(Math.max(0, leftMs), forget) : () => {};
  }

  async #run(input: unknown, command: KeyedCommand): Promise<unknown> {
    const { module, name, handler, toOutput, steps, clock } = this.parts;
    const earlier = await findAnswer(steps.read, command);
    if (earlier) return earlier.output;
    let own: CommandAnswer | undefined;
    const answer: Steps['answer'] = async (unit, output) => {
      const recorded = await this.#record(unit, command, output);
      unit.ahead(() => {
        own = recorded;
        command.answered?.(recorded.output);
      });
      return output;
    };
    let output: unknown;
    try {
      output = toOutput(await handler.inSteps(input, Object.assign(Object.create(steps), { answer }) as Steps));
    } catch (error) {
      // The effect may exist despite the error: from a run in another process, or from this run before a later step failed.
      const answered = await findAnswer(steps.read, command).catch(() => undefined);
      if (!answered) throw error;
      return answered.output;
    }
    crashPoint('command', module, name, 'committed');
    if (own) return own.output;
    // Two parallel runs both return the answer that the first one has recorded.
    const isFirst = await steps.work((unit) => addAnswer(unit, command, output, clock.now()));
    return isFirst ? output : (await findAnswer(steps.read, command))?.output;
  }

  async #record(unit: ModuleUnit, command: KeyedCommand, output: unknown): Promise<CommandAnswer> {
    const { module, name, toOutput, clock } = this.parts;
    const answer = { output: toOutput(output) };
    const isFirst = await addAnswer(unit, command, answer.output, clock.now());
    if (!isFirst) throw new AnsweredBefore('another run of this command has answered');
    crashPoint('command', module, name, 'handled');
    return answer;
  }
}

/** Returns whether the caller or the deadline cancelled a run. The handler may have done any part of its work. */
function isCancelled(error: unknown): boolean {
  return isRefusal(error, 'cancelled') || isRefusal(error, 'timeout');
}
