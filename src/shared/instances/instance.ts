import { hostname } from 'node:os';
import { v7 as uuid } from 'uuid';
import type { Clock } from '../clock/index.ts';
import type { Database } from '../data/index.ts';
import type { Log } from '../observability/index.ts';
import { Duty, type End } from './duty.ts';
import { isOwn, isOwnNoMore, runsHere } from './process.ts';
import { addInstance, listInstances, removeExpiredInstances, removeInstances, renewInstance } from './store.ts';
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

/**
 * A process among those that run the same module on the same database, known to the others for 30 s at a time. The oldest
 * that lives leads: it does what only one may do. Clocks of different hosts must agree within a few seconds.
 */
export class Instance {
  #id = uuid();
  #until = 0;
  #renewAt = 0;
  #stopped = true;
  #known = false;
  #alone = true;
  #looking = Promise.resolve();
  #cancelLook = () => {};
  readonly #duty: Duty;
  readonly #parts: Required<InstanceParts>;

  constructor(parts: InstanceParts) {
    this.#parts = { host: hostname(), pid: process.pid, runs: runsHere, ...parts };
    this.#duty = new Duty(parts.log);
  }

  /** Sorts by age. Another after its lease was lost: what it held before is not its own any more. */
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

  /**
   * What only one instance does: begun whenever this one comes to lead, ended by what `begin` returned when it leads no
   * more. To be said before it starts.
   */
  whileLeading(begin: () => Promise<End>): void {
    this.#duty.add(begin);
  }

  /** Makes itself known. When no other lives it leads at once: what it leads has begun when this resolves. */
  async start(): Promise<void> {
    this.#stopped = false;
    this.#known = true;
    await this.#register(this.#id);
    const living = await this.#living();
    await this.#duty.turn(living.every(({ id }) => id === this.#id));
    this.#lookLater();
  }

  /** Ends what it leads, for good. The others count on it until it stops. */
  async endDuty(): Promise<void> {
    this.#stopped = true;
    this.#cancelLook();
    await this.#looking;
    await this.#duty.turn(false);
  }

  /** Ends what it leads and lets the others know. */
  async stop(): Promise<void> {
    if (!this.#known) return;
    this.#known = false;
    await this.endDuty();
    this.#until = 0;
    isOwnNoMore(this.#id);
    await this.#parts.database
      .work((unit) => removeInstances(unit, [this.#id]))
      .catch((error) => this.#parts.log.warn({ error }, 'an instance that stops could not say so; its lease runs out'));
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#cancelLook = this.#parts.clock.after(lookMs, () => {
      this.#looking = this.#look().finally(() => this.#lookLater());
    });
  }

  /** Who lives, and who is the oldest of them. What is to begin or end is not waited for: the lease goes on meanwhile. */
  async #look(): Promise<void> {
    const { clock, log } = this.#parts;
    let oldest = this.#duty.wanted;
    try {
      if (!this.lives) await this.#register(uuid());
      else if (clock.now() >= this.#renewAt) await this.#renew();
      const living = await this.#living();
      if (!living.some(({ id }) => id === this.#id)) await this.#register(uuid());
      oldest = living[0]?.id === this.#id;
    } catch (error) {
      log.error({ error }, 'the instances of a module could not be read or renewed; trying again');
    }
    if (!this.#stopped) void this.#duty.turn(oldest && this.lives);
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
