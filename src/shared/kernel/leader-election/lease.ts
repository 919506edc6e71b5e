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
/** By how much the clocks of hosts may differ: an instance counts itself as dead before any other does. */
const clocksDifferMs = 5_000;

export interface LeaseDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly host: string;
  readonly pid: number;
  /** Whether the process of an instance of the same host runs, or may run. */
  readonly runs: (instance: Pick<InstanceRow, 'id' | 'pid'>) => boolean;
}

/**
 * What makes an instance known to the others: a row that counts for 30 s, unless it is renewed, and a lock that its process holds
 * for as long as it runs.
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

  /** Another one after the lease was lost, or ended. */
  get id(): string {
    return this.#id;
  }

  /** Whether the others count on it, as far as the clock can tell: it cannot when it was set back since the lease was renewed. */
  get lives(): boolean {
    const leftMs = this.#until - this.parts.clock.now();
    return leftMs > 0 && leftMs <= leaseMs;
  }

  /** Whether no other was there at the last look. */
  get alone(): boolean {
    return this.#alone;
  }

  begin(): Promise<void> {
    return this.#register(this.#id);
  }

  /**
   * Renews it in time, or begins another when it was lost. Resolves with the others that live, and removes those of them
   * whose process is found dead.
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

  /** It is over for this one. `leave` removes what the others know of it, by its id. */
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
    // A clock that was wrong wrote it: an instance that lives renews it before it runs out.
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
    // Before the row is there: whoever reads that must find the lock held.
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
