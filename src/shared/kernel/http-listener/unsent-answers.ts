import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const mebibyte = 1024 * 1024;

export interface UnsentLimits {
  /** Maximum time in which a peer reads nothing of an answer, in milliseconds. */
  readonly stalledMs?: number;
  /** Maximum unsent bytes of one connection. */
  readonly connectionBytes?: number;
  /** Maximum unsent bytes of all connections of the listener. */
  readonly totalBytes?: number;
}

/**
 * Bounds the answer bytes that the listener has written and its peers have not read. Cuts a connection with too many unsent
 * bytes, and one whose peer reads nothing for `stalledMs`. While all connections together hold too many bytes, cuts the largest.
 */
export class UnsentAnswers {
  readonly stalledMs: number;
  readonly #connectionBytes: number;
  readonly #totalBytes: number;
  readonly #bytes = new Map<Socket, number>();
  readonly #watched = new WeakSet<Socket>();
  #total = 0;

  constructor({ stalledMs = 20_000, connectionBytes = 64 * mebibyte, totalBytes = 256 * mebibyte }: UnsentLimits = {}) {
    this.stalledMs = stalledMs;
    this.#connectionBytes = connectionBytes;
    this.#totalBytes = totalBytes;
  }

  /** Unsent bytes of all connections. */
  get bytes(): number {
    return this.#total;
  }

  /** Counts the unsent bytes of `response`. Call it after each write and each time the response drains. */
  written(response: ServerResponse): void {
    const { socket } = response;
    if (!socket) return;
    const bytes = response.writableLength;
    // Node ends a connection when this timeout expires. The timeout restarts whenever the peer reads something.
    if (bytes > 0 !== this.#bytes.has(socket)) socket.setTimeout(bytes > 0 ? this.stalledMs : 0);
    this.set(socket, bytes);
  }

  /** Records the unsent bytes of a connection. */
  set(connection: Socket, bytes: number): void {
    this.#total += bytes - (this.#bytes.get(connection) ?? 0);
    if (bytes > 0) this.#watch(connection).set(connection, bytes);
    else this.#bytes.delete(connection);
    if (bytes > this.#connectionBytes) this.#cut(connection);
    while (this.#total > this.#totalBytes) this.#cut(this.#largest());
  }

  #watch(connection: Socket): Map<Socket, number> {
    if (!this.#watched.has(connection)) connection.once('close', () => this.set(connection, 0));
    this.#watched.add(connection);
    return this.#bytes;
  }

  #largest(): Socket {
    return [...this.#bytes].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
  }

  #cut(connection: Socket): void {
    this.set(connection, 0);
    connection.destroy();
  }
}
