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

/** This process leads no more: what was to be written as the leader must not be. */
export class LeadLost extends Error {
  override readonly name = 'LeadLost';
}

/**
 * A process among those that run the same module on the same database, known to the others for 30 s at a time. One of them
 * leads: it does what only one may do, from when it takes the lead, which is free or held by one that does not live, until
 * it gives it up. Clocks of different hosts must agree within 5 s.
 */
export class Instance {
  #known = false;
  #mayLead = false;
  #term = 0;
  /** Which it was when it took the lead. */
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

  /** Another one after its lease was lost: what it held before is not its own any more. */
  get id(): string {
    return this.#lease.id;
  }

  /** Whether the others count on it. False once it was paused for so long that one of them may not. */
  get lives(): boolean {
    return this.#lease.lives;
  }

  /** Whether no other was there when it last looked. */
  get alone(): boolean {
    return this.#lease.alone;
  }

  get leads(): boolean {
    return this.#leaderTasks.wanted && this.#ledAs === this.id && this.lives;
  }

  /** Grows whenever the lead is taken; of the last time that it was taken by this one. */
  get term(): number {
    return this.#term;
  }

  /**
   * What only one instance does: begun whenever this one comes to lead, ended by what `begin` returned when it leads no
   * more. To be said before it starts.
   */
  whileLeader(begin: () => Promise<EndTask>): void {
    this.#leaderTasks.add(begin);
  }

  /** Makes itself known. When nobody leads it does at once: what it leads has begun when this resolves. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#known) await this.#lease.begin();
      await this.#join();
    });
  }

  /**
   * Is one of them again, after it gave up the lead or stopped, and leads if nobody else does. Where its data cannot be written now,
   * it is so as soon as it can.
   */
  takeUp(): Promise<void> {
    return this.#inTurn(() => this.#join());
  }

  /** Looks now how things stand, and takes the lead if it can. Resolves, when what it leads has begun or ended, with whether it leads. */
  async look(): Promise<boolean> {
    await this.#lookNext();
    await this.#leaderTasks.turned();
    // What could not begin here is given away by now.
    await this.#looking;
    return this.leads;
  }

  /** Ends what it leads, does `lastly`, while nobody leads, and then lets another lead; does not do so again until `takeUp`. The others still count on it. */
  giveUpLead(lastly: () => Promise<void> = async () => {}): Promise<void> {
    return this.#inTurn(async () => {
      await this.#endLeading();
      await lastly();
      await this.#free();
    });
  }

  /** Ends what it leads. It still holds the lead, and the others count on it, until it stops. */
  endLeaderTasks(): Promise<void> {
    return this.#inTurn(() => this.#endLeading());
  }

  /** Ends what it leads and lets the others know. May start again, as another. */
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
   * To be asked in a unit of work that only the leader may do. Throws `LeadLost`, which takes the unit back, when this one gave
   * the lead up or was taken for dead meanwhile.
   */
  async fence(unit: Unit): Promise<void> {
    const { holder, term } = await readLead(unit);
    if (holder !== this.id || term !== this.#term) throw new LeadLost('this process leads no more');
  }

  /** One thing that it is told after the other: what is taken up while it is being given up is taken up after that. */
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

  /** The lease is renewed meanwhile, however long it takes. */
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

  /** Who lives, and who leads. What is to begin or end is not waited for: the lease goes on meanwhile. */
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

  /** Whether it holds the lead, or has taken it now. */
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

  /** The lead is its own since this term. What it led in an earlier one is ended first, and begun anew. */
  #isOf(term: number): true {
    if (term !== this.#term) void this.#leaderTasks.turn(false);
    this.#term = term;
    this.#ledAs = this.id;
    return true;
  }

  async #free(): Promise<void> {
    await this.#parts.database.work((unit) => freeLead(unit, this.id));
  }

  /** What it was to lead could not begin here, as it may elsewhere: until its next look, another may take the lead. */
  #letOthersTry(): void {
    this.#looking = this.#looking.then(async () => {
      if (this.#leaderTasks.wanted || this.#leaderTasks.running) return;
      await this.#free().catch((error) => {
        this.#parts.log.error({ error }, 'the lead could not be left to another instance; trying again to lead');
      });
    });
  }
}
