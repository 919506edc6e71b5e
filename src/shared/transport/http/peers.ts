import { Pool } from 'undici';
import { refusal } from '../../errors/index.ts';

/** Kept-alive connections to the other processes, one pool for each address. */
export class Peers {
  readonly #pools = new Map<string, Pool>();

  at(address: string): Pool {
    let pool = this.#pools.get(address);
    if (!pool) {
      pool = new Pool(address, { connections: 1_024, connect: { timeout: 1_000 }, headersTimeout: 0, bodyTimeout: 0 });
      this.#pools.set(address, pool);
    }
    return pool;
  }

  /** Drops an address nobody will answer at again. */
  async forget(address: string): Promise<void> {
    const pool = this.#pools.get(address);
    this.#pools.delete(address);
    await pool?.destroy();
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}

/** What a failure of the connection means to the caller. */
export function unreachableBecause(module: string, error: unknown): Error {
  return refusal('unavailable', `${module} cannot be reached`, {}, { cause: error });
}
