import type { Clock } from '../context/index.ts';
import type { Database } from '../database/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { Bus } from './bus.ts';
import { Lane } from './lane.ts';

/** Hands a module's outbox to the bus, in order, to each recipient on a way of its own. */
export class Relay {
  readonly #lanes = new Map<string, Lane>();
  #running = false;

  constructor(
    private readonly database: Database,
    private readonly bus: Pick<Bus, 'deliver'>,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Takes up what waits for these `recipients`, from an earlier run or from another process on the same data. */
  start(recipients: readonly string[]): void {
    this.#running = true;
    for (const recipient of recipients) this.wake(recipient);
  }

  /** `recipient` can be reached again: what waits for it need wait no longer. */
  reached(recipient: string): void {
    this.#lanes.get(recipient)?.hurry();
  }

  /** There is something new for `recipient`. */
  wake(recipient: string): void {
    if (!this.#running) return;
    let lane = this.#lanes.get(recipient);
    if (!lane) {
      const { database, bus, clock, log } = this;
      lane = new Lane(recipient, { database, bus, clock, log });
      this.#lanes.set(recipient, lane);
    }
    lane.wake();
  }

  /** Begins nothing more; resolves when what was under way is settled. */
  async stop(): Promise<void> {
    this.#running = false;
    const lanes = [...this.#lanes.values()];
    this.#lanes.clear();
    await Promise.all(lanes.map((lane) => lane.stop()));
  }
}
