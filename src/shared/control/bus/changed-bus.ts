import type { Clock } from '../../kernel/context/index.ts';
import { messageOf, refusal } from '../../kernel/errors/index.ts';
import type { Bus, EncodedEvent, Receive } from '../../kernel/events/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';

const lookMs = 200;
const longestLookMs = 10_000;

/** A wait that the subscriber can end early. */
interface Wait {
  over: boolean;
  wake: () => void;
}

/**
 * Replaces an old bus by a new one, and sends all published events by the new bus. To keep the order, a module first takes all
 * events that the old bus keeps for it, and only then events of the new bus.
 */
export class ChangedBus implements Bus {
  readonly #draining = new Set<string>();
  private readonly now: Bus;
  private readonly before: Bus;
  private readonly parts: { readonly clock: Clock; readonly log: Log };

  constructor(now: Bus, before: Bus, parts: { readonly clock: Clock; readonly log: Log }) {
    this.now = now;
    this.before = before;
    this.parts = parts;
  }

  recipients(type: string): readonly string[] {
    return this.now.recipients(type);
  }

  deliver(recipient: string, events: readonly EncodedEvent[]): Promise<void> {
    if (this.#draining.has(recipient))
      return Promise.reject(refusal('unavailable', `${recipient} still takes events of the previous bus`));
    return this.now.deliver(recipient, events);
  }

  async subscribe(module: string, receive: Receive): Promise<() => Promise<void>> {
    this.#draining.add(module);
    const leaveBefore = await this.before.subscribe(module, receive);
    const wait: Wait = { over: false, wake: () => {} };
    const following = this.#drained(module, wait).then(() => {
      this.#draining.delete(module);
      return wait.over ? undefined : this.now.subscribe(module, receive);
    });
    return async () => {
      wait.over = true;
      wait.wake();
      await leaveBefore();
      await (await following)?.();
    };
  }

  async backlog(module: string): Promise<number> {
    return (await this.now.backlog(module)) + (await this.before.backlog(module));
  }

  async close(): Promise<void> {
    await Promise.all([this.now.close(), this.before.close()]);
  }

  /** Resolves when the old bus keeps nothing for `module`, or the wait is over. */
  async #drained(module: string, wait: Wait): Promise<void> {
    const { clock, log } = this.parts;
    for (let failures = 0; !wait.over; ) {
      const left = await this.before.backlog(module).catch((error: unknown) => {
        const why = messageOf(error);
        if (failures === 0) log.warn({ module, why }, 'the bus before cannot be asked what it keeps; asking again');
        return undefined;
      });
      if (left === 0) return log.warn({ module }, 'the previous bus keeps no more events');
      failures = left === undefined ? failures + 1 : 0;
      await new Promise<void>((resolve) => {
        wait.wake = resolve;
        clock.after(Math.min(lookMs * 2 ** Math.min(failures, 10), longestLookMs), resolve);
      });
    }
  }
}
