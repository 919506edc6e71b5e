import { type Directory, LiveAddresses, type Trial } from '../../kernel/calls/index.ts';
import type { Contract } from '../../kernel/contract/index.ts';
import {
  drainedIn,
  drainWithinMs,
  type ModuleProcess,
  type ModuleProcesses,
  type ModulesHere,
  type Replica,
  replicaHere,
  replicaIn,
} from '../supervisor/index.ts';
import { type Placement, placementText, writePlacement } from '../topology/index.ts';
import { refuseBreaking } from './contracts.ts';
import { handOver, nothingMoved, sagasWithinMs, takeBack } from './hand-over.ts';
import type { Journal } from './journal.ts';
import { hasQueries } from './mirror.ts';
import type { Plan } from './plan.ts';
import { canarySteps, mirrorStep, type TryOut, warmUp } from './trials.ts';

const startWithinMs = 30_000;
const shortMs = 10_000;
/** How long one that nobody has called may take to end. */
const uncalledWithinMs = 1_000;

export interface RelocationDependencies {
  /** What this process's modules rely on. */
  readonly contract: Contract;
  readonly here: ModulesHere;
  readonly services: ModuleProcesses;
  readonly directory: Directory;
  readonly placements: Map<string, Placement>;
  readonly tryOut: TryOut;
  /** The topology's file, unless the move is to be forgotten at the next start. */
  readonly file: string | undefined;
  /** Ends the move: a process it needs has ended. */
  readonly abort: (why: string) => void;
}

/** One move of a module: from where it is to where its plan says, in steps that can each be taken back. */
export class Relocation {
  readonly moved = nothingMoved();
  #raised: readonly ModuleProcess[] = [];
  #coming: Replica[] = [];
  #going: Replica[] = [];
  #watches: (() => void)[] = [];
  /** Whether the new replicas may have been asked anything. */
  #called = false;
  private readonly plan: Plan;
  private readonly parts: RelocationDependencies;

  constructor(plan: Plan, parts: RelocationDependencies) {
    this.plan = plan;
    this.parts = parts;
  }

  /** Everything up to where the new replicas are ready and nobody has noticed them. */
  async prepare(journal: Journal): Promise<void> {
    await journal.step({
      name: 'start',
      withinMs: startWithinMs,
      run: () => this.#start(),
      interrupt: () => this.parts.services.terminate(this.#raised, uncalledWithinMs),
      undo: () => this.#lower(),
    });
    await journal.step({
      name: 'contract',
      withinMs: shortMs,
      run: async () => refuseBreaking(this.parts.contract, this.#raised),
    });
    await journal.step({ name: 'warm', withinMs: startWithinMs, run: () => this.#warm() });
  }

  /** Tries the new replicas out, if that is asked for: what they are sent meanwhile is all that anybody could notice. */
  async tryOut(journal: Journal): Promise<void> {
    const { mirror, canary } = this.parts.tryOut;
    if (!mirror && !canary) return;
    let trial: Trial | undefined;
    await journal.step({
      name: 'try out',
      withinMs: shortMs,
      run: async () => {
        trial = this.#beginTrial();
      },
      undo: async () => this.parts.directory.endTrial(this.plan.module),
    });
    if (mirror && hasQueries(this.parts.contract)) await mirrorStep(journal, trial!, mirror);
    if (canary) await canarySteps(journal, trial!, canary, this.plan.from.kind === 'service');
  }

  /** Everything from the first call that goes to the new replicas to where the next start knows of them. */
  async complete(journal: Journal): Promise<void> {
    const { plan } = this;
    await journal.step({
      name: 'move calls',
      withinMs: shortMs,
      run: () => this.#moveCalls(journal),
      undo: () => this.#moveCallsBack(),
    });
    await journal.step({ name: 'drain', withinMs: drainWithinMs + shortMs, run: () => this.#drain(this.#going) });
    await journal.step({
      name: 'hand over',
      withinMs: drainWithinMs + 2 * shortMs,
      run: (aborted) => this.#handOver(aborted),
      undo: () => takeBack(this.#going, this.#coming),
    });
    await journal.step({
      name: 'persist',
      withinMs: shortMs,
      run: async () => this.#persist(plan.to),
      undo: async () => void this.#persist(plan.from),
    });
  }

  /** It has moved: a crash, or a failure, brings it up in the new place. The old replicas end. */
  async close(journal: Journal): Promise<void> {
    const { plan, parts } = this;
    for (const listenNoMore of this.#watches) listenNoMore();
    parts.placements.set(plan.module, plan.to);
    await journal.finish('close', () => this.#endOld());
  }

  async #start(): Promise<object> {
    const { module, to, comes, stay, go, from, sameQueue } = this.plan;
    const { here, services, abort } = this.parts;
    this.#going = from.kind === 'in-process' ? [replicaHere(module, here)] : go.map(replicaIn);
    if (to.kind === 'in-process') {
      const opened = await here.add(module);
      await opened.start();
      this.#coming = [replicaHere(module, here)];
    } else if (comes > 0) {
      this.#raised = services.spawn(module, to, comes, sameQueue);
      await services.ready(module, this.#raised);
      if (this.#raised.some(({ ready }) => !ready))
        throw new Error(`a process of ${module} ended before all were ready; its last words are in this process's log`);
      this.#coming = this.#raised.map(replicaIn);
    }
    for (const process of [...this.#raised, ...go]) {
      const pid = process.pid;
      this.#watches.push(services.onEnd(process, (how) => abort(`process ${pid} of ${module} ended: ${how}`)));
    }
    return { copies: this.#coming.map(({ name }) => name), staying: stay.length };
  }

  async #warm(): Promise<void> {
    const { module, sameQueue } = this.plan;
    // Over a queue it would be answered by those before.
    const addresses = sameQueue ? this.#raised.flatMap(({ ready }) => ready?.address ?? []) : this.#addresses();
    const probes = addresses.map((address) => this.parts.directory.probe(module, address));
    await Promise.all(probes.map((probe) => probe.warm().finally(() => probe.close())));
  }

  #addresses(): string[] {
    return this.#raised.flatMap(({ ready }) => ready?.reachedAt ?? []);
  }

  async #moveCalls(journal: Journal): Promise<void> {
    const { module, to, stay, sameQueue } = this.plan;
    const { here, services, directory, tryOut } = this.parts;
    const someMoved = sameQueue || stay.length > 0 || (tryOut.canary?.share ?? 1) < 1;
    if (to.kind === 'service' && !someMoved) await this.#moveSome(journal);
    this.#called = true;
    if (sameQueue) await Promise.all(this.#coming.map((replica) => replica.fetchCalls()));
    if (to.kind === 'in-process') here.serve(module);
    services.serve(module, [...stay, ...this.#raised]);
    directory.endTrial(module);
  }

  /** The first calls of a new process take longest: a few get them, instead of all that come in that moment. */
  async #moveSome(journal: Journal): Promise<void> {
    const trial = this.#beginTrial();
    trial.share = 1;
    await warmUp(journal, trial);
  }

  #beginTrial(): Trial {
    this.#called = true;
    return this.parts.directory.tryOut(this.plan.module, new LiveAddresses(this.#addresses()));
  }

  async #moveCallsBack(): Promise<void> {
    const { module, from, stay, go, sameQueue } = this.plan;
    const { here, services } = this.parts;
    this.parts.directory.endTrial(module);
    if (from.kind === 'in-process') here.serve(module);
    services.serve(module, [...stay, ...go]);
    if (sameQueue) await Promise.all(this.#going.map((replica) => replica.fetchCalls()));
  }

  /** Nobody calls these any more, and what they were asked is answered. */
  async #drain(replicas: readonly Replica[]): Promise<object> {
    const { module, sameQueue } = this.plan;
    const { directory, services } = this.parts;
    if (sameQueue) await Promise.all(replicas.map((replica) => replica.fetchNoCalls()));
    const counts = await Promise.all(replicas.map((replica) => replica.idle()));
    const others = services.all.filter(({ ready }) => ready);
    await Promise.all([directory.drained(module), ...others.map((process) => drainedIn(process, module))]);
    // What reached them between the two.
    for (const replica of replicas) counts.push(await replica.idle());
    this.moved.callsDrained = counts.reduce((sum, count) => sum + count, 0);
    return { calls: this.moved.callsDrained };
  }

  async #handOver(aborted: AbortSignal): Promise<object> {
    const { moved, plan } = this;
    const remaining = [...plan.stay.map(replicaIn), ...this.#coming];
    await handOver({ going: this.#going, remaining, anotherRelease: plan.anotherRelease }, moved, aborted);
    return { gapMs: moved.gapMs, events: moved.events, timers: moved.timers, sagas: moved.sagas };
  }

  #persist(placement: Placement): object {
    const { file } = this.parts;
    if (file) writePlacement(file, this.plan.module, placementText(placement));
    return { file: file ?? null };
  }

  async #endOld(): Promise<void> {
    const { module, from, go } = this.plan;
    const { here, services } = this.parts;
    if (from.kind === 'in-process') await here.remove(module);
    else await services.terminate(go);
  }

  /** Takes back what was started: what it was asked meanwhile is answered first. */
  async #lower(): Promise<void> {
    if (!this.#called) return this.#end(uncalledWithinMs);
    for (const listenNoMore of this.#watches) listenNoMore();
    const alive = this.#coming.filter((_, index) => this.#raised.length === 0 || this.#raised[index]?.ready);
    await Promise.all(alive.map((replica) => this.#relieve(replica).catch(() => {})));
    await this.#end();
  }

  /** One that does not answer is asked no more: it ends anyhow. */
  async #relieve(replica: Replica): Promise<void> {
    await this.#drain([replica]);
    await replica.giveUpLead();
    await replica.finishSagas(sagasWithinMs);
  }

  async #end(withinMs?: number): Promise<void> {
    const { module, to } = this.plan;
    const { here, services } = this.parts;
    await services.terminate(this.#raised, withinMs);
    if (to.kind === 'in-process') await here.remove(module);
    for (const listenNoMore of this.#watches) listenNoMore();
  }
}
