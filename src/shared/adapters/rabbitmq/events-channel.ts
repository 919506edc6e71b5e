import type { Channel, Connection } from 'rabbitmq-client';
import { type Clock, pause } from '../../kernel/context/index.ts';
import type { BrokerReachability } from '../../kernel/ports/index.ts';

const pauseMs = 250;

export interface ChannelDependencies {
  readonly connection: Connection;
  readonly reachability: BrokerReachability;
  readonly clock: Clock;
  /** Sets a new channel up for its purpose. */
  readonly prepare: (channel: Channel) => Promise<void>;
}

/** Keeps a channel open: opens and prepares a new one after each loss, until `close`. */
export class SteadyChannel {
  readonly #parts: ChannelDependencies;
  /** Resolves after the first attempt, whether the broker is reachable or not. */
  readonly #known = Promise.withResolvers<void>();
  #channel: Channel | undefined;
  #why: unknown;
  #closed = false;

  constructor(parts: ChannelDependencies) {
    this.#parts = parts;
    parts.connection.on('error', this.#away);
    void this.#keepOpen();
  }

  /** Resolves with the current channel; at the start, waits for the first attempt. Rejects with `unavailable` without a channel. */
  async ready(): Promise<Channel> {
    const { connection, reachability } = this.#parts;
    await this.#known.promise;
    if (!this.#channel?.active || !connection.ready) throw reachability.refusal(this.#why);
    return this.#channel;
  }

  /** Closes the channel. Resolves when the broker has all messages; it redelivers unacknowledged ones to other consumers. */
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
