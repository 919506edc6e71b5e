import { background, type ManualClock } from '../context/index.ts';
import { type Assembly, type ModuleUnit, startTimers } from '../module/index.ts';
import { silentLog } from '../telemetry/index.ts';

/** The timers of a module under test. They run as in a process that leads, by the clock of the test. */
export class TestedTimers {
  readonly #runs = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #stop = async () => {};
  private readonly assembly: Assembly;
  private readonly clock: ManualClock;

  constructor(assembly: Assembly, clock: ManualClock) {
    this.assembly = assembly;
    this.clock = clock;
  }

  async start(module: string): Promise<void> {
    this.#stop = startTimers({
      ...{ module, timers: this.assembly.inside.timers ?? [], clock: this.clock, log: silentLog },
      work: (task) => this.#work(task),
      fence: async () => {},
    });
    await this.ran();
  }

  /** Resolves when no timer is due. Rejects with the first error of a timer since the last time. */
  async ran(): Promise<void> {
    this.clock.advance(0);
    while (this.#runs.size > 0) {
      await Promise.all(this.#runs);
      // A timer with more work left asks for its next run after the unit.
      await new Promise<void>((resolve) => background.setImmediate(resolve));
      this.clock.advance(0);
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  /** Runs a unit of a timer, and keeps its error. */
  #work<T>(task: (unit: ModuleUnit) => Promise<T>): Promise<T> {
    const run = this.assembly.work(task);
    const ended = run.then(
      () => {},
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
    this.#runs.add(ended);
    void ended.then(() => this.#runs.delete(ended));
    return run;
  }
}
