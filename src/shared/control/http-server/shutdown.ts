import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { background } from '../../kernel/context/index.ts';

type Exchange = readonly [request: IncomingMessage, response: ServerResponse];

/** Before it closes, the listener waits for `quietMs` without a new connection, but at most `quietWithinMs`. */
const quietMs = 30;
const quietWithinMs = 1_000;
const maxDelayed = 1_024;
/** A connection that has sent nothing for this time counts as unused. */
const unusedMs = 500;
const lookMs = 10;
/** A turn of the event loop without any work takes less time than this. */
const emptyTurnMs = 0.5;

/**
 * Shuts an HTTP listener down without a reset of sent requests. The listener closes at a moment without new connections. It closes
 * idle connections last, after their peers had time to connect elsewhere. A connection is lost only if it arrives, or is used again,
 * at the very instant of its close.
 */
export class Shutdown {
  readonly #sockets = new Map<Socket, number>();
  readonly #unanswered = new Set<ServerResponse>();
  /** The latest request of each connection, and whether its headers keep the connection alive. */
  readonly #latest = new WeakMap<Socket, { response: ServerResponse; keepAlive: boolean }>();
  #connections = 0;
  #connectedAt = 0;
  #announced = false;
  private readonly server: Server;

  /** Add all event listeners to `server` before this call. */
  constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket: Socket) => this.#connected(socket));
    server.prependListener('request', ({ socket }, response) => this.#requested(socket, response));
  }

  /** Makes each answer end its connection from now on (`Connection: close`). Still accepts and serves new connections. */
  announce(): void {
    this.#announced = true;
    for (const response of this.#unanswered) this.#endWith(response);
  }

  /** Stops accepting connections and answers the requests in flight. Cuts all remaining connections after `withinMs`. */
  async close(withinMs: number): Promise<void> {
    this.announce();
    const last = background.setTimeout(() => this.#cut(), withinMs);
    const release = this.#delay();
    await this.#quiet(Math.min(quietWithinMs, withinMs / 4));
    let closed = false;
    // `close` of http.Server would close idle connections at once.
    NetServer.prototype.close.call(this.server, () => {
      closed = true;
    });
    release();
    while (!closed) {
      if (this.#unanswered.size === 0) await this.#endIdle();
      await sleep(lookMs);
    }
    clearTimeout(last);
  }

  #connected(socket: Socket): void {
    this.#connections += 1;
    this.#connectedAt = performance.now();
    this.#sockets.set(socket, this.#connectedAt);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #requested(socket: Socket, response: ServerResponse): void {
    const before = this.#latest.get(socket);
    // The connection must outlive the previous answer: the client has already sent another request.
    if (before && !before.response.headersSent) before.response.shouldKeepAlive = before.keepAlive;
    this.#latest.set(socket, { response, keepAlive: response.shouldKeepAlive });
    this.#unanswered.add(response);
    response.once('close', () => this.#unanswered.delete(response));
    if (this.#announced) this.#endWith(response);
  }

  #endWith(response: ServerResponse): void {
    // A response that waits behind another has no socket yet, so this reads the socket of its request.
    const isLatest = this.#latest.get(response.req.socket)?.response === response;
    if (isLatest && !response.headersSent) response.shouldKeepAlive = false;
  }

  /**
   * Delays new requests and returns a function that serves them. A client that opens one connection after the other waits for its
   * answer meanwhile, and opens no connection.
   */
  #delay(): () => void {
    const { server } = this;
    const listeners = server.listeners('request') as ((...exchange: Exchange) => void)[];
    const serve = (...exchange: Exchange) => {
      for (const listener of listeners) listener.apply(server, [...exchange]);
    };
    const delayed: Exchange[] = [];
    const delay = (...exchange: Exchange) =>
      void (delayed.length < maxDelayed ? delayed.push(exchange) : serve(...exchange));
    server.removeAllListeners('request');
    server.on('request', delay);
    return () => {
      server.removeListener('request', delay);
      for (const listener of listeners) server.on('request', listener);
      for (const exchange of delayed) serve(...exchange);
    };
  }

  async #quiet(withinMs: number): Promise<void> {
    const begun = performance.now();
    const isQuiet = () => performance.now() - Math.max(begun, this.#connectedAt) >= quietMs;
    while (!isQuiet() && performance.now() - begun < withinMs) await sleep(lookMs);
    await this.#emptyTurn();
  }

  /** Resolves right after a turn of the event loop without new connections or other work, or after a hundred turns. */
  async #emptyTurn(): Promise<void> {
    for (let turn = 0; turn < 100; turn++) {
      const [known, begun] = [this.#connections, performance.now()];
      await nextTurn();
      if (this.#connections === known && performance.now() - begun < emptyTurnMs) return;
    }
  }

  async #endIdle(): Promise<void> {
    await this.#emptyTurn();
    if (this.#unanswered.size > 0) return;
    this.server.closeIdleConnections();
    for (const [socket, connectedAt] of this.#sockets)
      if (socket.bytesRead === 0 && performance.now() - connectedAt > unusedMs) socket.destroy();
  }

  #cut(): void {
    this.server.closeAllConnections();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => background.setTimeout(resolve, delayMs));
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => background.setImmediate(resolve));
}
