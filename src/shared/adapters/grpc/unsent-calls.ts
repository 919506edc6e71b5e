import type { Socket } from 'node:net';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { background } from '../../kernel/context/index.ts';
import type { UnsentAnswers } from '../../kernel/http-listener/index.ts';

interface Connection {
  readonly socket: Socket;
  bytes: number;
  /** Last time when the peer read an answer, or no answer waited for it. */
  takenAt: number;
  watch: NodeJS.Timeout | undefined;
}

/**
 * Counts the unread answers of each gRPC connection: HTTP/2 lets a peer delay single answers while the connection stays active.
 * Cuts a connection whose peer reads no answer for too long.
 */
export class UnsentCalls {
  readonly #connections = new Map<string, Connection>();
  private readonly unsent: UnsentAnswers;

  constructor(unsent: UnsentAnswers) {
    this.unsent = unsent;
  }

  add(socket: Socket): void {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const connection = { socket, bytes: 0, takenAt: 0, watch: undefined };
    this.#connections.set(peer, connection);
    socket.once('close', () => {
      clearTimeout(connection.watch);
      this.#connections.delete(peer);
    });
  }

  /** Counts an answer. Call it with the size in bytes, just before grpc-js gets the answer. */
  answered(call: ServerUnaryCall<unknown, unknown>, bytes: number): void {
    const connection = this.#connections.get(call.getPeer());
    if (!connection) return;
    if (connection.bytes === 0) connection.takenAt = performance.now();
    this.#add(connection, bytes);
    connection.watch ??= background.setTimeout(() => this.#look(connection), this.unsent.stalledMs).unref();
    // grpc-js emits `cancelled` for every call when its stream closes, answered or not.
    call.once('cancelled', () => {
      connection.takenAt = performance.now();
      this.#add(connection, -bytes);
    });
  }

  #add(connection: Connection, bytes: number): void {
    connection.bytes += bytes;
    this.unsent.set(connection.socket, connection.bytes);
  }

  #look(connection: Connection): void {
    connection.watch = undefined;
    if (connection.bytes === 0) return;
    const leftMs = connection.takenAt + this.unsent.stalledMs - performance.now();
    if (leftMs <= 0) connection.socket.destroy();
    else connection.watch = background.setTimeout(() => this.#look(connection), leftMs).unref();
  }
}
