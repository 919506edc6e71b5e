import type { Contract } from '../../kernel/contract/index.ts';
import type { NamedMigration } from '../../kernel/database-engine/index.ts';
import { invalidInput, isRefusal, messageOf, refusal } from '../../kernel/errors/index.ts';
import { type ModuleDefinition, migrationsOf } from '../../kernel/module/index.ts';
import { inSpan, type Log, ofService, withTrace } from '../../kernel/telemetry/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import type { Directory } from '../routing/index.ts';
import { type ModuleProcesses, type ModulesHere, migrationsIn, replicaHere, replicaIn } from '../supervisor/index.ts';
import { type Placement, placementText, type ServicePlacement, type Topology } from '../topology/index.ts';
import type { Moved } from './hand-over.ts';
import { Journal, type Progress, type StepDone, StepFailed } from './journal.ts';
import { type Plan, planOf } from './plan.ts';
import { preflight } from './preflight.ts';
import { Relocation } from './relocation.ts';
import type { RelocationOrder } from './relocation-order.ts';
import type { Trials } from './trials.ts';

/** The result of a relocation. */
export interface RelocationReport extends Moved {
  readonly module: string;
  readonly from: string;
  readonly to: string;
  readonly ms: number;
  /** Whether the next start keeps the new placement. */
  readonly persisted: boolean;
  readonly steps: readonly StepDone[];
}

/** The relocations of a module that have ended. */
export interface EndedRelocations {
  readonly moved: number;
  /** Relocations that failed, or were refused by the preflight. */
  readonly failed: number;
  /** The time of all of them together, in milliseconds. */
  readonly ms: number;
}

/** The relocation in progress. */
export interface Current {
  readonly module: string;
  readonly to: string;
  readonly by: string;
  readonly since: string;
  step: string;
  /** The latest observation in a long step. */
  seen?: object | undefined;
}

interface RelocationsDependencies {
  readonly topology: Topology;
  readonly definitions: readonly ModuleDefinition[];
  readonly placements: Map<string, Placement>;
  readonly here: ModulesHere;
  readonly moduleProcesses: ModuleProcesses;
  readonly directory: Directory;
  readonly adapters: Adapters;
  readonly trials: Trials | undefined;
  readonly log: Log;
}

/** Moves modules between processes while the system serves, one at a time. */
export class Relocations {
  #current: Current | undefined;
  readonly #ended = new Map<string, EndedRelocations>();
  /** The work in progress that needs all modules to stay in place. */
  #other: string | undefined;
  #journal: Journal | undefined;
  #abort = new AbortController();
  #idle: Promise<unknown> = Promise.resolve();
  #state: 'starts' | 'runs' | 'stops' = 'starts';
  /** The previous placement of modules that ran in processes of their own before their last relocation. */
  readonly #outsideLast = new Map<string, ServicePlacement>();
  private readonly parts: RelocationsDependencies;

  constructor(parts: RelocationsDependencies) {
    this.parts = parts;
  }

  get current(): Current | undefined {
    return this.#current;
  }

  /** By module: the moves that have ended since this process started. */
  get ended(): ReadonlyMap<string, EndedRelocations> {
    return this.#ended;
  }

  /** Returns the placement of a module in processes of its own: the current one, or the last one since this process started. */
  outside(module: string): ServicePlacement | undefined {
    const now = this.parts.placements.get(module);
    return now?.kind === 'service' ? now : this.#outsideLast.get(module);
  }

  /**
   * Moves a module and reports its progress. Rejects with `conflict` when the move is not possible; nothing has changed then. Rejects
   * with `move-failed` when a step failed; the module then stays in its old place, and the error names any step that was not undone.
   */
  async move(order: RelocationOrder, tell: (progress: Progress) => void = () => {}): Promise<RelocationReport> {
    this.#refuseAnother();
    this.#refuseTrials(order);
    const { module, placement, by } = order;
    const since = new Date().toISOString();
    const current: Current = { module, to: placementText(placement), by, since, step: 'preflight' };
    this.#current = current;
    this.#abort = new AbortController();
    const noted = (progress: Progress) => {
      if ('begun' in progress) Object.assign(current, { step: progress.begun, seen: undefined });
      if ('watched' in progress) current.seen = progress.seen;
      tell(progress);
    };
    const attributes = { 'kerf.module': module, 'kerf.placement': current.to };
    const running = inSpan(`move ${module}`, { attributes }, ofService('home'), (trace) =>
      withTrace(trace, () => this.#run(order, noted)),
    ).finally(() => {
      this.#current = undefined;
    });
    this.#count(module, running);
    this.#idle = running.catch(() => {});
    return running;
  }

  /**
   * Waits until no module moves, then does `work`, during which no module moves. When the system stops, it aborts `work` and waits for
   * its end. Rejects with `conflict` when the system stops before, or other work is in progress.
   */
  async whileNoneMoves<T>(what: string, work: (stops: AbortSignal) => Promise<T>): Promise<T> {
    while (this.#current) await this.#idle;
    this.#refuseAnother();
    this.#other = what;
    this.#abort = new AbortController();
    const running = work(this.#abort.signal).finally(() => {
      this.#other = undefined;
    });
    this.#idle = running.catch(() => {});
    return running;
  }

  /** Aborts the module's move and undoes it. Throws `not-found` when there is none, `conflict` when only the old replicas must end. */
  abort(module: string, by: string): void {
    if (this.#current?.module !== module) throw refusal('not-found', `${module} is not being moved`);
    if (this.#journal?.finishing)
      throw refusal(
        'conflict',
        `${module} has moved to ${this.#current.to} already; when this move has ended, order a move back`,
      );
    this.#abort.abort(new Error(`it was aborted by ${by}`));
  }

  /** Allows relocations from now on. The host calls it once all modules have started. */
  begin(): void {
    this.#state = 'runs';
  }

  /** Undoes the move in progress and allows no further move. Resolves when the move has ended. */
  async stop(): Promise<void> {
    this.#state = 'stops';
    this.#abort.abort(new Error('the system stops'));
    await this.#idle;
  }

  #count(module: string, running: Promise<unknown>): void {
    const startedAt = performance.now();
    const ended = (outcome: 'moved' | 'failed') => {
      const { moved, failed, ms } = this.#ended.get(module) ?? { moved: 0, failed: 0, ms: 0 };
      const counts = { moved, failed, ms: ms + performance.now() - startedAt };
      this.#ended.set(module, { ...counts, [outcome]: counts[outcome] + 1 });
    };
    running.then(
      () => ended('moved'),
      () => ended('failed'),
    );
  }

  #refuseTrials({ canary, mirror }: RelocationOrder): void {
    const path = canary ? 'canary' : mirror ? 'mirror' : undefined;
    if (path === undefined || this.parts.trials) return;
    throw invalidInput([{ path, message: 'this product makes no trials: add trials() to "control" in src/app.ts' }]);
  }

  #refuseAnother(): void {
    if (this.#state !== 'runs') throw refusal('conflict', `the system ${this.#state}`);
    if (this.#other) throw refusal('conflict', `${this.#other} just now; order the move again in some seconds`);
    if (!this.#current) return;
    const { module, to, by, since, step } = this.#current;
    throw refusal(
      'conflict',
      `${module} is being moved to ${to} by ${by} since ${since} (now: ${step}); one module moves at a time`,
    );
  }

  async #run(order: RelocationOrder, tell: (progress: Progress) => void): Promise<RelocationReport> {
    const { placements, moduleProcesses, topology } = this.parts;
    const { module, placement: to, again, forNow } = order;
    const startedAt = performance.now();
    const trial = order.canary !== undefined || order.mirror !== undefined;
    const plan = planOf({ module, to, again, trial }, placements.get(module)!, moduleProcesses);
    const controller = this.#abort;
    const journal = new Journal(module, controller.signal, tell);
    this.#journal = journal;
    const abort = (why: string) => controller.abort(new Error(why));
    const { contract } = this.parts.definitions.find((each) => each.contract.name === module)!;
    const move = new Relocation(plan, {
      ...this.parts,
      contract,
      tryOut: order,
      file: forNow ? undefined : topology.settings.TOPOLOGY,
      abort,
    });
    try {
      await journal.step({ name: 'preflight', withinMs: 30_000, run: () => this.#preflight(plan, order, contract) });
      await move.prepare(journal);
      await move.tryOut(journal);
      await move.complete(journal);
    } catch (error) {
      throw await this.#takeBack(plan, journal, error);
    }
    await move.close(journal);
    if (plan.from.kind === 'service') this.#outsideLast.set(module, plan.from);
    const [ms, from] = [Math.round(performance.now() - startedAt), placementText(plan.from)];
    this.parts.log.info({ module, from, to: placementText(to), ms, by: order.by }, 'a module was moved');
    return { module, from, to: placementText(to), ms, persisted: !forNow, steps: journal.steps, ...move.moved };
  }

  async #preflight(plan: Plan, order: RelocationOrder, contract: Contract): Promise<object> {
    const { here, moduleProcesses, trials } = this.parts;
    const { module, from } = plan;
    const tried = trials?.preflight(order, contract);
    const process = moduleProcesses.of(module).find(({ ready }) => ready);
    if (from.kind === 'service' && !process)
      throw refusal('conflict', `none of the processes of ${module} is ready; see to that first`);
    const replica = process ? replicaIn(process) : replicaHere(module, here);
    const coming = () => this.#coming(plan);
    return { ...(await preflight(plan, order.forNow, { ...this.parts, replica, coming })), ...tried };
  }

  async #coming({ module, to }: Plan): Promise<readonly NamedMigration[] | undefined> {
    if (to.kind === 'service') return migrationsIn(to.artifact ?? process.argv[1]!, module);
    return migrationsOf(this.parts.definitions.find(({ contract }) => contract.name === module)!);
  }

  /** Undoes a failed move. Returns the error for the operator, which names each step that could not be undone. */
  async #takeBack({ module, from }: Plan, journal: Journal, error: unknown): Promise<unknown> {
    if (!(error instanceof StepFailed)) return error;
    if (error.step === 'preflight')
      return isRefusal(error.cause) ? error.cause : refusal('conflict', messageOf(error), {}, { cause: error });
    const troubles = await journal.rollBack();
    const { log } = this.parts;
    const [step, why] = [error.step, messageOf(error)];
    log.error({ module, step, why, troubles, error: error.cause }, 'a module could not be moved, and is where it was');
    const all = troubles.length === 0 ? 'everything was taken back' : `not taken back: ${troubles.join('; ')}`;
    return refusal(
      'move-failed',
      `${module} stays ${placementText(from)}: at "${step}", ${why}; ${all}`,
      { step, troubles, steps: journal.steps },
      { cause: error },
    );
  }
}
