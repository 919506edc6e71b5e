import { hostname } from 'node:os';
import { v7 as uuid } from 'uuid';
import type { Clock } from '../clock/index.ts';
import type { Database, Unit } from '../data/index.ts';
import type { Log } from '../observability/index.ts';
import { Duty, type End } from './duty.ts';
import { isOwn, isOwnNoMore, runsHere } from './process.ts';
import {
  addInstance,
  freeLead,
  listInstances,
  readLead,
  removeExpiredInstances,
  removeInstances,
  renewInstance,
  takeLead,
} from './store.ts';
import type { InstanceRow } from './tables.ts';

const leaseMs = 30_000;
const renewMs = 10_000;
const lookMs = 1_000;

export interface InstanceParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly host?: string;
  readonly pid?: number;
  /** Whether the process of an instance of the same host runs. */
  readonly runs?: (instance: Pick<InstanceRow, 'id' | 'pid'>) => boolean;
}

/** Another leads now: what was to be written as the leader must not be. */
export class LeadLost extends Error {
  override readonly name = 'LeadLost';
}

/**
 * A process among those that run the same module on the same database, known to the others for 30 s at a time. One of them
 * leads: it does what only one may do, from when it takes the lead, which is free or held by one that does not live, until
 * it gives it up. Clocks of different hosts must agree within a few seconds.
 */
export class Instance {
  #id = uuid();
  #until = 0;
  #renewAt = 0;
  #stopped = true;
  #known = false;
  #alone = true;
  #mayLead = true;
  #term = 0;
  #looking = Promise.resolve();
  #cancelLook = () => {};
  readonly #duty: Duty;
  readonly #parts: Required<InstanceParts>;

  constructor(parts: InstanceParts) {
    this.#parts = { host: hostname(), pid: process.pid, runs: runsHere, ...parts };
    this.#duty = new Duty(parts.log);
  }

  /** Another one after its lease was lost: what it held before is not its own any more. */
  get id(): string {
    return this.#id;
  }

  /** Whether the others count on it. False once it was paused for longer than its lease. */
  get lives(): boolean {
    return this.#parts.clock.now() < this.#until;
  }

  /** Whether no other was there when it last looked. */
  get alone(): boolean {
    return this.#alone;
  }

  get leads(): boolean {
    return this.#duty.wanted && this.lives;
  }

  /** Grows whenever the lead is taken; of the last time that it was taken by this one. */
  get term(): number {
    return this.#term;
  }

  /**
   * What only one instance does: begun whenever this one comes to lead, ended by what `begin` returned when it leads no
   * more. To be said before it starts.
   */
  whileLeading(begin: () => Promise<End>): void {
    this.#duty.add(begin);
  }

  /** Makes itself known. When nobody leads it does at once: what it leads has begun when this resolves. */
  async start(): Promise<void> {
    this.#stopped = false;
    this.#known = true;
    this.#mayLead = true;
    await this.#register(this.#id);
    await this.look();
    this.#lookLater();
  }

  /** Looks now how things stand, and takes the lead if it can. Resolves, when what it leads has begun or ended, with whether it leads. */
  async look(): Promise<boolean> {
    this.#looking = this.#looking.then(() => this.#look());
    await this.#looking;
    await this.#duty.turned();
    return this.leads;
  }

  /** Ends what it leads, and then lets another lead; does not do so again until `takeUp`. The others still count on it. */
  async giveUpLead(): Promise<void> {
    this.#mayLead = false;
    await this.#looking;
    await this.#duty.turn(false);
    await this.#parts.database.work((unit) => freeLead(unit, this.#id));
  }

  /** Is one of them again, after it gave up the lead or stopped, and leads if nobody else does. */
  async takeUp(): Promise<void> {
    if (!this.#known) return this.start();
    this.#mayLead = true;
    await this.look();
  }

  /**
   * To be asked in a unit of work that only the leader may do. Throws `LeadLost`, which takes the unit back, when this one was
   * taken for dead meanwhile and another leads.
   */
  async fence(unit: Unit): Promise<void> {
    const { holder, term } = await readLead(unit);
    if (holder !== this.#id || term !== this.#term) throw new LeadLost('another instance leads now');
  }

  /** Ends what it leads, for good. The others count on it until it stops. */
  async endDuty(): Promise<void> {
    this.#stopped = true;
    this.#cancelLook();
    await this.#looking;
    await this.#duty.turn(false);
  }

  /** Ends what it leads and lets the others know. May start again, as another. */
  async stop(): Promise<void> {
    if (!this.#known) return;
    this.#known = false;
    await this.endDuty();
    this.#until = 0;
    const id = this.#id;
    isOwnNoMore(id);
    this.#id = uuid();
    const { database, log } = this.#parts;
    const leaving = database.work(async (unit) => {
      await freeLead(unit, id);
      await removeInstances(unit, [id]);
    });
    await leaving.catch((error) => log.warn({ error }, 'an instance that stops could not say so; its lease runs out'));
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#cancelLook = this.#parts.clock.after(lookMs, () => {
      this.#looking = this.#looking.then(() => this.#look());
      void this.#looking.finally(() => this.#lookLater());
    });
  }

  /** Who lives, and who leads. What is to begin or end is not waited for: the lease goes on meanwhile. */
  async #look(): Promise<void> {
    if (this.#stopped) return;
    const { clock, log } = this.#parts;
    let leads = this.#duty.wanted;
    try {
      if (!this.lives) await this.#register(uuid());
      else if (clock.now() >= this.#renewAt) await this.#renew();
      const living = await this.#living();
      if (!living.some(({ id }) => id === this.#id)) await this.#register(uuid());
      leads = await this.#lead(living);
    } catch (error) {
      log.error({ error }, 'the instances of a module could not be read or renewed; trying again');
    }
    if (!this.#stopped) void this.#duty.turn(leads && this.#mayLead && this.lives);
  }

  /** Whether it holds the lead, or has taken it now. */
  async #lead(living: readonly InstanceRow[]): Promise<boolean> {
    const { database, clock } = this.#parts;
    const { holder } = await readLead(database);
    if (holder === this.#id) return true;
    if (!this.#mayLead || living.some(({ id }) => id === holder)) return false;
    const term = await database.work((unit) => takeLead(unit, this.#id, clock.now()));
    if (term !== undefined) this.#term = term;
    return term !== undefined;
  }

  /** Those that live, the oldest first, without those whose process is found dead, which are removed. */
  async #living(): Promise<InstanceRow[]> {
    const { database, clock, host, runs } = this.#parts;
    const rows = await listInstances(database, clock.now());
    const dead = rows.filter((row) => row.id !== this.#id && row.host === host && !runs(row)).map(({ id }) => id);
    if (dead.length > 0) await database.work((unit) => removeInstances(unit, dead));
    const living = rows.filter(({ id }) => !dead.includes(id));
    this.#alone = living.every(({ id }) => id === this.#id);
    return living;
  }

  async #register(id: string): Promise<void> {
    const { database, clock, host, pid } = this.#parts;
    const since = clock.now();
    const until = since + leaseMs;
    isOwnNoMore(this.#id);
    isOwn(id);
    this.#id = id;
    await database.work(async (unit) => {
      await removeExpiredInstances(unit, since);
      await addInstance(unit, { id, host, pid, until, since });
    });
    this.#hold(since);
  }

  async #renew(): Promise<void> {
    const now = this.#parts.clock.now();
    const renewed = await this.#parts.database.work((unit) => renewInstance(unit, this.#id, now + leaseMs));
    if (renewed) this.#hold(now);
  }

  #hold(since: number): void {
    this.#until = since + leaseMs;
    this.#renewAt = since + renewMs;
  }
}
