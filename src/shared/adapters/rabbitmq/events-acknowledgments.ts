import type { Channel } from 'rabbitmq-client';
import { background } from '../../kernel/context/index.ts';

/** Acknowledges what was taken by one channel, many at a time: each acknowledgment is a write to the broker's log. */
export class Acknowledgments {
  /** What was handed out and is not taken, the oldest first. */
  readonly #owed = new Set<number>();
  #given: number[] = [];
  private readonly channel: Channel;

  constructor(channel: Channel) {
    this.channel = channel;
  }

  /** Not once the channel is closed: the broker hands out again what is owed. */
  get possible(): boolean {
    return this.channel.active;
  }

  owe(tag: number): void {
    this.#owed.add(tag);
  }

  /** Goes out with whatever else is taken in the same commit. */
  give(tag: number): void {
    this.#owed.delete(tag);
    if (this.#given.push(tag) === 1) background.nextTick(() => this.send());
  }

  /** All that was given, now. */
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
