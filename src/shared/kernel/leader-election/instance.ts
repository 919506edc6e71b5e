import { hostname } from 'node:os';
import { background } from '../context/index.ts';
import type { Unit } from '../database/index.ts';
import type { Log } from '../telemetry/index.ts';
import { type EndTask, LeaderTasks } from './leader-tasks.ts';
import { Lease, type LeaseDependencies } from './lease.ts';
import { freeLead, readLead, removeInstances, takeLead } from './store.ts';
import type { InstanceRow } from './tables.ts';

const lookMs = 1_000;

export interface InstanceDependencies
  extends Pick<LeaseDependencies, 'database' | 'clock'>,
    Partial<Pick<LeaseDependencies, 'host' | 'pid' | 'runs'>> {
  readonly log: Log;
}

/** This process no longer leads, and must not write as the leader. */
export class LeadLost extends Error {
  override readonly name = 'LeadLost';
}

/**
 * One of the processes that run the same module on the same database. A lease makes it known to the others for 30 s at a time. One
 * instance leads and runs the leader tasks. It takes the lead when no live instance holds it, and leads until it gives up the
 * lead. Clocks of different hosts must agree within 5 s.
 */
export class Instance {
  #known = false;
  #mayLead = false;
  #term = 0;
  /** The id of this instance when it took the lead. */
  #ledAs = '';
  #looking = Promise.resolve();
  #told = Promise.resolve();
  #cancelLook = () => {};
  readonly #lease: Lease;
  readonly #leaderTasks: LeaderTasks;
  readonly #parts: LeaseDependencies & { readonly log: Log };

  constructor(parts: InstanceDependencies) {
    const { locks } = parts.database;
    const runs = ({ id }: Pick<InstanceRow, 'id'>) => locks.isHeld(id) !== false;
    this.#parts = { host: hostname(), pid: process.pid, runs, ...parts };
    this.#lease = new Lease(this.#parts);
    this.#leaderTasks = new LeaderTasks(parts.log, () => this.#letOthersTry());
  }

  /** The id of this instance. It changes after the lease was lost: the instance then no longer owns anything that it held before. */
  get id(): string {
    return this.#lease.id;
  }

  /** Whether the other instances regard this one as live. False after a pause so long that one of them may regard it as dead. */
  get lives(): boolean {
    return this.#lease.lives;
  }

  /** Whether the last look found no other instance. */
  get alone(): boolean {
    return this.#lease.alone;
  }

  get leads(): boolean {
    return this.#leaderTasks.wanted && this.#ledAs === this.id && this.lives;
  }

  /** The term in which this instance last took the lead. The term grows whenever an instance takes the lead. */
  get term(): number {
    return this.#term;
  }

  /**
   * Adds a leader task. `begin` runs whenever this instance becomes the leader. The function that `begin` returns runs when this
   * instance no longer leads. The caller must add tasks before `start`.
   */
  whileLeader(begin: () => Promise<EndTask>): void {
    this.#leaderTasks.add(begin);
  }

  /** Registers the instance. If no instance leads, takes the lead at once: its leader tasks have begun when this resolves. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#known) await this.#lease.begin();
      await this.#join();
    });
  }

  /**
   * Takes part again after the instance gave up the lead or stopped, and leads if no other instance does. When the instance cannot
   * write its data now, it takes part as soon as it can.
   */
  takeUp(): Promise<void> {
    return this.#inTurn(() => this.#join());
  }

  /** Checks the leader now and takes the lead if it can. When the leader tasks have begun or ended, resolves with whether it leads. */
  async look(): Promise<boolean> {
    await this.#lookNext();
    await this.#leaderTasks.turned();
    // When a task could not begin, waits until the instance has given up the lead.
    await this.#looking;
    return this.leads;
  }

  /**
   * Ends its leader tasks, runs `lastly` while no instance leads, and then lets another instance lead. Does not lead again until
   * `takeUp`. The other instances still regard this one as live.
   */
  giveUpLead(lastly: () => Promise<void> = async () => {}): Promise<void> {
    return this.#inTurn(async () => {
      await this.#endLeading();
      await lastly();
      await this.#free();
    });
  }

  /** Ends its leader tasks. The instance still holds the lead, and the others regard it as live, until it stops. */
  endLeaderTasks(): Promise<void> {
    return this.#inTurn(() => this.#endLeading());
  }

  /** Ends its leader tasks and tells the other instances. The instance may start again, with a new id. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#known) return;
      await this.#endLeading();
      this.#known = false;
      this.#cancelLook();
      await this.#looking;
      const { database, log } = this.#parts;
      await this.#lease.end(async (id) => {
        const leaving = database.work(async (unit) => {
          await freeLead(unit, id);
          await removeInstances(unit, [id]);
        });
        await leaving.catch((error) =>
          log.warn({ error }, 'an instance that stops could not say so; its lease runs out'),
        );
      });
    });
  }

  /**
   * Checks that this instance still leads. The caller runs it in each unit of work that only the leader may do. Throws `LeadLost`,
   * which rolls back the unit, when this instance gave up the lead or counted as dead meanwhile.
   */
  async fence(unit: Unit): Promise<void> {
    const { holder, term } = await readLead(unit);
    if (holder !== this.id || term !== this.#term) throw new LeadLost('this process leads no more');
  }

  /** Runs the caller's requests in sequence: a `takeUp` during a `giveUpLead` runs after it. */
  #inTurn(task: () => Promise<void>): Promise<void> {
    const before = this.#told;
    const done = background.run(async () => {
      await before;
      await task();
    });
    this.#told = done.catch(() => {});
    return done;
  }

  async #join(): Promise<void> {
    const isNew = !this.#known;
    this.#mayLead = this.#known = true;
    await this.look();
    if (isNew) this.#lookLater();
  }

  /** Ends the leader tasks. The lease keeps renewing meanwhile, however long this takes. */
  async #endLeading(): Promise<void> {
    this.#mayLead = false;
    await this.#looking;
    await this.#leaderTasks.turn(false);
  }

  #lookNext(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  #lookLater(): void {
    if (!this.#known) return;
    this.#cancelLook = this.#parts.clock.after(lookMs, () => {
      void this.#lookNext().then(() => this.#lookLater());
    });
  }

  /** Checks which instances are live and which one leads. Does not await the leader tasks: the lease keeps renewing meanwhile. */
  async #look(): Promise<void> {
    if (!this.#known) return;
    let leads: boolean;
    try {
      leads = await this.#holdsOrTakes(await this.#lease.keep());
    } catch (error) {
      leads = this.leads;
      this.#parts.log.error({ error }, 'the instances of a module could not be read or renewed; trying again');
    }
    void this.#leaderTasks.turn(leads && this.#mayLead && this.lives);
  }

  /** Returns whether this instance holds the lead, or has taken it now. */
  async #holdsOrTakes(others: readonly InstanceRow[]): Promise<boolean> {
    const { database, clock } = this.#parts;
    const { holder, term } = await readLead(database);
    if (holder !== this.id) {
      if (!this.#mayLead || others.some(({ id }) => id === holder)) return false;
      const taken = await database.work((unit) => takeLead(unit, this.id, clock.now()));
      return taken !== undefined && this.#isOf(taken);
    }
    return this.#isOf(term);
  }

  /** Records the term in which this instance leads. Ends the leader tasks of an earlier term first, so that they begin again. */
  #isOf(term: number): true {
    if (term !== this.#term) void this.#leaderTasks.turn(false);
    this.#term = term;
    this.#ledAs = this.id;
    return true;
  }

  async #free(): Promise<void> {
    await this.#parts.database.work((unit) => freeLead(unit, this.id));
  }

  /** Gives up the lead until the next look: the leader tasks could not begin here, but may begin in another instance. */
  #letOthersTry(): void {
    this.#looking = this.#looking.then(async () => {
      if (this.#leaderTasks.wanted || this.#leaderTasks.running) return;
      await this.#free().catch((error) => {
        this.#parts.log.error({ error }, 'the lead could not be left to another instance; trying again to lead');
      });
    });
  }
}
