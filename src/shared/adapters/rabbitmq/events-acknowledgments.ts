import type { Channel } from 'rabbitmq-client';
import { background } from '../../kernel/context/index.ts';

/** Acknowledges the events of one channel in batches: each acknowledgment is a write to the broker's log. */
export class Acknowledgments {
  /** Delivered events that are not taken yet, the oldest first. */
  readonly #owed = new Set<number>();
  #given: number[] = [];
  private readonly channel: Channel;

  constructor(channel: Channel) {
    this.channel = channel;
  }

  /** Whether the channel is open. After its close, the broker redelivers unacknowledged events. */
  get possible(): boolean {
    return this.channel.active;
  }

  owe(tag: number): void {
    this.#owed.add(tag);
  }

  /** Acknowledges an event, together with the other events of the same commit. */
  give(tag: number): void {
    this.#owed.delete(tag);
    if (this.#given.push(tag) === 1) background.nextTick(() => this.send());
  }

  /** Sends all collected acknowledgments now. */
  send(): void {
    const given = this.#given;
    this.#given = [];
    if (!this.possible) return;
    const [oldest = Number.POSITIVE_INFINITY] = this.#owed;
    const upTo = Math.max(0, ...given.filter((tag) => tag < oldest));
    if (upTo > 0) this.channel.basicAck({ deliveryTag: upTo, multiple: true });
    for (const deliveryTag of given) if (deliveryTag > upTo) this.channel.basicAck({ deliveryTag });
  }
}
