import { type Clock, newId } from '../context/index.ts';
import type { Database } from '../database/index.ts';
import {
  addInstance,
  listInstances,
  removeExpiredInstances,
  removeInstances,
  renewInstance,
  shortenLeases,
} from './store.ts';
import type { InstanceRow } from './tables.ts';

const leaseMs = 30_000;
const renewMs = 10_000;
/** Maximum difference between the clocks of hosts. It makes an instance count itself as dead before any other instance does. */
export const clocksDifferMs = 5_000;

export interface LeaseDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly host: string;
  readonly pid: number;
  /** Returns whether the process of an instance on the same host runs, or may run. */
  readonly runs: (instance: Pick<InstanceRow, 'id' | 'pid'>) => boolean;
}

/**
 * Makes an instance known to the other instances by a row and a lock. The row is valid for 30 s and can be renewed. The process
 * holds the lock for as long as it runs.
 */
export class Lease {
  #id = newId();
  #until = 0;
  #renewAt = 0;
  #alone = true;
  private readonly parts: LeaseDependencies;

  constructor(parts: LeaseDependencies) {
    this.parts = parts;
  }

  /** The id of the instance. It changes after the lease was lost or ended. */
  get id(): string {
    return this.#id;
  }

  /** Whether the other instances regard this one as live. Also false when the clock cannot tell: it was set back since the renewal. */
  get lives(): boolean {
    const leftMs = this.#until - this.parts.clock.now();
    return leftMs > 0 && leftMs <= leaseMs;
  }

  /** Whether the last look found no other instance. */
  get alone(): boolean {
    return this.#alone;
  }

  begin(): Promise<void> {
    return this.#register(this.#id);
  }

  /**
   * Renews the lease in time, or begins a new one when it was lost. Removes other instances whose process is dead. Resolves
   * with the other live instances.
   */
  async keep(): Promise<readonly InstanceRow[]> {
    const now = this.parts.clock.now();
    if (now >= this.#until) await this.#register(newId());
    else if (now >= this.#renewAt || !this.lives) await this.#renew();
    const living = await this.#living();
    const others = living.filter(({ id }) => id !== this.#id);
    this.#alone = others.length === 0;
    if (others.length === living.length) await this.#register(newId());
    return others;
  }

  /** Ends the lease. `leave` removes the records of the instance, by its id, that the other instances see. */
  async end(leave: (id: string) => Promise<void>): Promise<void> {
    const id = this.#id;
    this.#until = 0;
    this.#id = newId();
    await leave(id);
    this.parts.database.locks.release(id);
  }

  async #living(): Promise<InstanceRow[]> {
    const { database, clock, host, runs } = this.parts;
    const now = clock.now();
    const rows = await listInstances(database, now);
    const latest = now + leaseMs + clocksDifferMs;
    // A wrong clock wrote such a lease. A live instance renews the shortened lease before it runs out.
    if (rows.some(({ until }) => until > latest)) await database.work((unit) => shortenLeases(unit, latest));
    const dead = rows.filter((row) => row.id !== this.#id && row.host === host && !runs(row)).map(({ id }) => id);
    if (dead.length > 0) {
      await database.work((unit) => removeInstances(unit, dead));
      database.locks.forget(dead);
    }
    return rows.filter(({ id }) => !dead.includes(id));
  }

  async #register(id: string): Promise<void> {
    const { database, clock, host, pid } = this.parts;
    const since = clock.now();
    const until = since + leaseMs;
    const before = this.#id;
    if (before !== id) database.locks.release(before);
    // Holds the lock before it writes the row: an instance that reads the row must find the lock held.
    database.locks.hold(id);
    this.#id = id;
    const expired = await database.work(async (unit) => {
      const removed = await removeExpiredInstances(unit, since);
      await removeInstances(unit, [before]);
      await addInstance(unit, { id, host, pid, until, since });
      return removed;
    });
    database.locks.forget(expired);
    this.#hold(since);
  }

  async #renew(): Promise<void> {
    const now = this.parts.clock.now();
    const renewed = await this.parts.database.work((unit) => renewInstance(unit, this.#id, now + leaseMs));
    if (renewed) this.#hold(now);
  }

  #hold(since: number): void {
    this.#until = since + leaseMs - clocksDifferMs;
    this.#renewAt = since + renewMs;
  }
}
