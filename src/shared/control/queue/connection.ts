import { background, type Clock, newId, pause, steadyClock } from '../../kernel/context/index.ts';
import type { Silence, TlsMaterial } from '../../kernel/ports/index.ts';
import { type BrokerSession, type BrokerWay, brokerSilence, type OpenSession } from '../../kernel/ports/index.ts';
import { OpenCalls } from './open-calls.ts';

/** A session and its calls in flight. */
export interface Live {
  readonly session: BrokerSession;
  readonly calls: OpenCalls;
}

/** Takes requests from the current session. */
export interface SessionUser {
  begin(session: BrokerSession): void;
  /** Called after every failed attempt to reach the broker, and when a session ends. */
  lost(why: unknown): void;
}

const steadyMs = 10_000;
const longestPauseMs = 2_000;

/**
 * The connection of this process to one broker, shared by all its clients and servers. It opens on first use, and opens again
 * whenever it is lost, until it is closed.
 */
export class SharedConnection {
  readonly #takers = new Set<SessionUser>();
  #opening: Promise<Live> | undefined;
  #live: Live | undefined;
  #closed = false;
  #ended: Promise<void> | undefined;
  readonly #cutShort = Promise.withResolvers<void>();
  private readonly openSession: OpenSession;
  private readonly way: BrokerWay;
  private readonly clock: Clock;

  constructor(openSession: OpenSession, way: BrokerWay, clock: Clock) {
    this.openSession = openSession;
    this.way = way;
    this.clock = clock;
  }

  /** Returns the current session, or the result of the attempt in flight. Rejects at once when the last attempt failed. */
  live(): Live | Promise<Live> {
    if (this.#live) return this.#live;
    this.#ended ??= background.run(() => this.#stayConnected());
    // `#stayConnected` has begun to open a session.
    return this.#opening!;
  }

  /** Tells `taker` of each session from now on, until it is removed. */
  add(taker: SessionUser): void {
    this.#takers.add(taker);
    if (this.#live) taker.begin(this.#live.session);
    else this.#ended ??= background.run(() => this.#stayConnected());
  }

  remove(taker: SessionUser): void {
    this.#takers.delete(taker);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cutShort.resolve();
    await this.#live?.session.close();
    await this.#ended;
  }

  async #stayConnected(): Promise<void> {
    for (let failures = 0; !this.#closed; ) {
      const since = this.clock.now();
      try {
        this.#opening = this.#open();
        throw await this.#serve(await this.#opening);
      } catch (error) {
        this.#live = undefined;
        this.#opening = Promise.reject(error);
        this.#opening.catch(() => {});
        if (!this.#closed) for (const taker of this.#takers) taker.lost(error);
      }
      failures = this.clock.now() - since > steadyMs ? 0 : failures + 1;
      await Promise.race([this.#cutShort.promise, pause(this.clock, Math.min(longestPauseMs, 25 * 2 ** failures))]);
    }
  }

  async #open(): Promise<Live> {
    const calls = new OpenCalls(newId(), this.clock);
    const session = await this.openSession(this.way, calls);
    calls.begin(session);
    return { session, calls };
  }

  /** Resolves when the session has ended, with the reason. */
  async #serve(live: Live): Promise<unknown> {
    this.#live = live;
    if (this.#closed) await live.session.close();
    for (const taker of this.#takers) taker.begin(live.session);
    return live.session.ended;
  }
}

interface ConnectionUse {
  readonly connection: SharedConnection;
  users: number;
}

const all = new Map<string, ConnectionUse>();

/** Returns the connection to the broker at `address`, and a function to release it. The last release closes the connection. */
export function shareConnection(
  openSession: OpenSession,
  address: string,
  tls: TlsMaterial = {},
  silence: Silence = brokerSilence,
) {
  const key = `${address} ${silence.askAfterMs} ${silence.goneAfterMs}`;
  const way = { url: new URL(address), tls, silence };
  const shared = all.get(key) ?? { connection: new SharedConnection(openSession, way, steadyClock), users: 0 };
  all.set(key, shared);
  shared.users += 1;
  return {
    connection: shared.connection,
    async release(): Promise<void> {
      shared.users -= 1;
      if (shared.users > 0) return;
      all.delete(key);
      await shared.connection.close();
    },
  };
}
