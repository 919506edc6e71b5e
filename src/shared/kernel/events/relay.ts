import { OutboxDispatcher, type OutboxDispatcherDependencies } from './outbox-dispatcher.ts';

/** Delivers a module's outbox to the bus, in order, with one dispatcher per recipient. */
export class Relay {
  readonly #dispatchers = new Map<string, OutboxDispatcher>();
  #running = false;
  private readonly parts: OutboxDispatcherDependencies;

  constructor(parts: OutboxDispatcherDependencies) {
    this.parts = parts;
  }

  /** Dispatches the events that wait for these `recipients`, from an earlier run or from another process on the same data. */
  start(recipients: readonly string[]): void {
    this.#running = true;
    for (const recipient of recipients) this.wake(recipient);
  }

  /** Dispatches the waiting events of `recipient` at once: it is reachable again. */
  recipientReachable(recipient: string): void {
    this.#dispatchers.get(recipient)?.retryNow();
  }

  /** Tells the relay that a new event waits for `recipient`. */
  wake(recipient: string): void {
    if (!this.#running) return;
    let dispatcher = this.#dispatchers.get(recipient);
    if (!dispatcher) {
      dispatcher = new OutboxDispatcher(recipient, this.parts);
      this.#dispatchers.set(recipient, dispatcher);
    }
    dispatcher.wake();
  }

  /** Starts no further delivery; resolves when the deliveries in flight are complete and recorded. */
  async stop(): Promise<void> {
    this.#running = false;
    const dispatchers = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop()));
  }
}
