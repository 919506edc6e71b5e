import type { Channel, Connection } from 'rabbitmq-client';
import type { Clock } from '../../kernel/context/index.ts';
import { pause, type Reachability } from '../../kernel/events/index.ts';

const pauseMs = 250;

export interface ChannelDependencies {
  readonly connection: Connection;
  readonly reachability: Reachability;
  readonly clock: Clock;
  /** Makes a new channel what it is for. */
  readonly prepare: (channel: Channel) => Promise<void>;
}

/** A channel that is opened and prepared anew whenever it was lost, until it is closed. */
export class SteadyChannel {
  readonly #parts: ChannelDependencies;
  /** Settled as soon as it is known whether the broker can be reached. */
  readonly #known = Promise.withResolvers<void>();
  #channel: Channel | undefined;
  #why: unknown;
  #closed = false;

  constructor(parts: ChannelDependencies) {
    this.#parts = parts;
    parts.connection.on('error', this.#away);
    void this.#keepOpen();
  }

  /** The channel as it is now; at the start, as soon as it is there. Throws `unavailable` while the broker takes nothing. */
  async ready(): Promise<Channel> {
    const { connection, reachability } = this.#parts;
    await this.#known.promise;
    if (!this.#channel?.active || !connection.ready) throw reachability.refusal(this.#why);
    return this.#channel;
  }

  /** Resolves when the broker knows: it has all that was sent, and gives to others what was not acknowledged. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#parts.connection.off('error', this.#away);
    this.#known.resolve();
    await this.#channel?.close();
  }

  async #keepOpen(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#closed) {
      await this.#untilLost().catch(this.#away);
      this.#channel = undefined;
      if (!this.#closed) await pause(clock, pauseMs);
    }
  }

  async #untilLost(): Promise<void> {
    const { connection, reachability, prepare } = this.#parts;
    const channel = await connection.acquire({ emitErrorsFromChannel: true });
    const lost = new Promise<void>((resolve) => channel.once('close', resolve));
    channel.on('error', this.#away);
    channel.on('basic.cancel', () => void channel.close());
    try {
      await prepare(channel);
      if (this.#closed) return;
      this.#channel = channel;
      this.#known.resolve();
      reachability.reached();
      await lost;
    } finally {
      await channel.close();
    }
  }

  readonly #away = (error: unknown): void => {
    if (this.#closed) return;
    this.#why = error;
    this.#known.resolve();
    this.#parts.reachability.lost(error);
  };
}
