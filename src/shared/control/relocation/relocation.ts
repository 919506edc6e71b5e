import type { Contract } from '../../kernel/contract/index.ts';
import { type Directory, LiveAddresses } from '../routing/index.ts';
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
import type { Plan } from './plan.ts';
import type { TryOut } from './relocation-order.ts';
import { TrafficSplit, warmUp } from './traffic-split.ts';
import type { Trials } from './trials.ts';

const startWithinMs = 30_000;
const shortMs = 10_000;
/** Maximum time that a process without calls may take to end. */
const uncalledWithinMs = 1_000;

export interface RelocationDependencies {
  /** The contract that this process's modules rely on. */
  readonly contract: Contract;
  readonly here: ModulesHere;
  readonly moduleProcesses: ModuleProcesses;
  readonly directory: Directory;
  readonly placements: Map<string, Placement>;
  readonly tryOut: TryOut;
  readonly trials: Trials | undefined;
  /** The topology file; absent when the next start must not keep the placement. */
  readonly file: string | undefined;
  /** Aborts the relocation because a process that it needs has ended. */
  readonly abort: (why: string) => void;
}

/**
 * Moves a module from its current place to the place in its plan, in steps that can each be undone. Calls, leadership and sagas move. The data
 * does not: old and new replicas open the same database.
 */
export class Relocation {
  readonly moved = nothingMoved();
  #spawned: readonly ModuleProcess[] = [];
  #coming: Replica[] = [];
  #going: Replica[] = [];
  #watches: (() => void)[] = [];
  /** Whether the new replicas may have received calls. */
  #called = false;
  private readonly plan: Plan;
  private readonly parts: RelocationDependencies;

  constructor(plan: Plan, parts: RelocationDependencies) {
    this.plan = plan;
    this.parts = parts;
  }

  /** Runs all steps until the new replicas are ready. No caller notices them yet. */
  async prepare(journal: Journal): Promise<void> {
    await journal.step({
      name: 'start',
      withinMs: startWithinMs,
      run: () => this.#start(),
      interrupt: () => this.parts.moduleProcesses.terminate(this.#spawned, uncalledWithinMs),
      undo: () => this.#terminate(),
    });
    await journal.step({
      name: 'contract',
      withinMs: shortMs,
      run: async () => refuseBreaking(this.parts.contract, this.#spawned),
    });
    await journal.step({ name: 'warm', withinMs: startWithinMs, run: () => this.#warm() });
  }

  /** Tries out the new replicas if the order asks for it. Callers can notice only the calls that these receive. */
  async tryOut(journal: Journal): Promise<void> {
    const { tryOut, trials, contract } = this.parts;
    if (!trials || (!tryOut.mirror && !tryOut.canary)) return;
    let split: TrafficSplit | undefined;
    await journal.step({
      name: 'try out',
      withinMs: shortMs,
      run: async () => {
        split = this.#splitTraffic();
      },
      undo: async () => this.parts.directory.endDetour(this.plan.module),
    });
    await trials.run(journal, split!, { ...tryOut, contract, alike: this.plan.from.kind === 'service' });
  }

  /** Runs all steps from the transfer of calls to the new replicas until the topology file contains the new placement. */
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

  /** Ends the old replicas. The module has moved: after a crash or a failure, it starts in the new place. */
  async close(journal: Journal): Promise<void> {
    const { plan, parts } = this;
    for (const listenNoMore of this.#watches) listenNoMore();
    parts.placements.set(plan.module, plan.to);
    await journal.finish('close', () => this.#endOld());
  }

  async #start(): Promise<object> {
    const { module, to, comes, stay, go, from, sameQueue } = this.plan;
    const { here, moduleProcesses, abort } = this.parts;
    this.#going = from.kind === 'in-process' ? [replicaHere(module, here)] : go.map(replicaIn);
    if (to.kind === 'in-process') {
      const opened = await here.add(module);
      await opened.start();
      this.#coming = [replicaHere(module, here)];
    } else if (comes > 0) {
      this.#spawned = moduleProcesses.spawn(module, to, comes, sameQueue);
      await moduleProcesses.ready(module, this.#spawned);
      if (this.#spawned.some(({ ready }) => !ready))
        throw new Error(
          `a process of ${module} ended before all were ready; the last lines that it logged are in this process's log`,
        );
      this.#coming = this.#spawned.map(replicaIn);
    }
    for (const process of [...this.#spawned, ...go]) {
      const pid = process.pid;
      this.#watches.push(moduleProcesses.onEnd(process, (how) => abort(`process ${pid} of ${module} ended: ${how}`)));
    }
    return { copies: this.#coming.map(({ name }) => name), staying: stay.length };
  }

  async #warm(): Promise<void> {
    const { module, sameQueue } = this.plan;
    // Over the shared queue, the old replicas would answer.
    const addresses = sameQueue ? this.#spawned.flatMap(({ ready }) => ready?.address ?? []) : this.#addresses();
    const probes = addresses.map((address) => this.parts.directory.probe(module, address));
    await Promise.all(probes.map((probe) => probe.warm().finally(() => probe.close())));
  }

  #addresses(): string[] {
    return this.#spawned.flatMap(({ ready }) => ready?.reachedAt ?? []);
  }

  async #moveCalls(journal: Journal): Promise<void> {
    const { module, to, stay, sameQueue } = this.plan;
    const { here, moduleProcesses, directory, tryOut } = this.parts;
    const someMoved = sameQueue || stay.length > 0 || (tryOut.canary?.share ?? 1) < 1;
    if (to.kind === 'service' && !someMoved) await this.#moveSome(journal);
    this.#called = true;
    if (sameQueue) await Promise.all(this.#coming.map((replica) => replica.fetchCalls()));
    if (to.kind === 'in-process') here.serve(module);
    moduleProcesses.serve(module, [...stay, ...this.#spawned]);
    directory.endDetour(module);
  }

  /** Sends only a few calls to the new processes at first: the first calls of a process take longest. */
  async #moveSome(journal: Journal): Promise<void> {
    const split = this.#splitTraffic();
    split.share = 1;
    await warmUp(journal, split);
  }

  #splitTraffic(): TrafficSplit {
    this.#called = true;
    const { directory } = this.parts;
    return directory.divert(
      this.plan.module,
      new LiveAddresses(this.#addresses()),
      (...ways) => new TrafficSplit(...ways),
    );
  }

  async #moveCallsBack(): Promise<void> {
    const { module, from, stay, go, sameQueue } = this.plan;
    const { here, moduleProcesses } = this.parts;
    this.parts.directory.endDetour(module);
    if (from.kind === 'in-process') here.serve(module);
    moduleProcesses.serve(module, [...stay, ...go]);
    if (sameQueue) await Promise.all(this.#going.map((replica) => replica.fetchCalls()));
  }

  /** Waits until no caller uses these replicas any more, and all their calls are answered. */
  async #drain(replicas: readonly Replica[]): Promise<object> {
    const { module, sameQueue } = this.plan;
    const { directory, moduleProcesses } = this.parts;
    if (sameQueue) await Promise.all(replicas.map((replica) => replica.fetchNoCalls()));
    const counts = await Promise.all(replicas.map((replica) => replica.idle()));
    const others = moduleProcesses.all.filter(({ ready }) => ready);
    await Promise.all([directory.drained(module), ...others.map((process) => drainedIn(process, module))]);
    // Counts the calls that reached the replicas between the two waits.
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
    const { here, moduleProcesses } = this.parts;
    if (from.kind === 'in-process') await here.remove(module);
    else await moduleProcesses.terminate(go);
  }

  /** Ends the started replicas, after they have answered their calls. */
  async #terminate(): Promise<void> {
    if (!this.#called) return this.#end(uncalledWithinMs);
    for (const listenNoMore of this.#watches) listenNoMore();
    const alive = this.#coming.filter((_, index) => this.#spawned.length === 0 || this.#spawned[index]?.ready);
    await Promise.all(alive.map((replica) => this.#relieve(replica).catch(() => {})));
    await this.#end();
  }

  /** Takes the work from a replica before it ends. Rejects at the first request that the replica does not answer. */
  async #relieve(replica: Replica): Promise<void> {
    await this.#drain([replica]);
    await replica.giveUpLead();
    await replica.finishSagas(sagasWithinMs);
  }

  async #end(withinMs?: number): Promise<void> {
    const { module, to } = this.plan;
    const { here, moduleProcesses } = this.parts;
    await moduleProcesses.terminate(this.#spawned, withinMs);
    if (to.kind === 'in-process') await here.remove(module);
    for (const listenNoMore of this.#watches) listenNoMore();
  }
}
