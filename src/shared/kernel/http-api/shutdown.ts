import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { background } from '../context/index.ts';

type Exchange = readonly [request: IncomingMessage, response: ServerResponse];

/** For so long no connection comes before the listener closes; at most so long is that waited for. */
const quietMs = 30;
const quietWithinMs = 1_000;
const mostHeld = 1_024;
/** A connection that has sent nothing for so long sends nothing any more. */
const unusedMs = 500;
const lookMs = 10;
/** A turn of the event loop in which nothing happened takes less. */
const emptyTurnMs = 0.5;

/**
 * Shuts an HTTP listener down so that no request which was sent is reset. A connection is lost only if it comes, or is used again, in the
 * very instant in which it is closed: the listener closes at a moment when none comes, and idle connections last, after their peers had
 * time to take new ones elsewhere.
 */
export class Shutdown {
  readonly #sockets = new Map<Socket, number>();
  readonly #unanswered = new Set<ServerResponse>();
  /** The latest request of each connection, and whether its own headers let the connection live on. */
  readonly #latest = new WeakMap<Socket, { response: ServerResponse; keepAlive: boolean }>();
  #connections = 0;
  #connectedAt = 0;
  #announced = false;
  private readonly server: Server;

  /** `server` has all its listeners. */
  constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket: Socket) => this.#connected(socket));
    server.prependListener('request', ({ socket }, response) => this.#requested(socket, response));
  }

  /** From now on each answer ends its connection (`Connection: close`). New ones are accepted, and served, as before. */
  announce(): void {
    this.#announced = true;
    for (const response of this.#unanswered) this.#endWith(response);
  }

  /** Accepts no connection any more, answers the requests in flight, and cuts in the end what is not answered within `withinMs`. */
  async close(withinMs: number): Promise<void> {
    this.announce();
    const last = background.setTimeout(() => this.#cut(), withinMs);
    const release = this.#hold();
    await this.#quiet(Math.min(quietWithinMs, withinMs / 4));
    let closed = false;
    // That of http.Server closes idle connections at once.
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
    // Its connection must outlive it: another request has been sent already.
    if (before && !before.response.headersSent) before.response.shouldKeepAlive = before.keepAlive;
    this.#latest.set(socket, { response, keepAlive: response.shouldKeepAlive });
    this.#unanswered.add(response);
    response.once('close', () => this.#unanswered.delete(response));
    if (this.#announced) this.#endWith(response);
  }

  #endWith(response: ServerResponse): void {
    // One that waits behind another has no socket of its own yet.
    const isLatest = this.#latest.get(response.req.socket)?.response === response;
    if (isLatest && !response.headersSent) response.shouldKeepAlive = false;
  }

  /**
   * Keeps the requests that come from being served: clients that open a connection for each request, one after the other, wait for their
   * answers meanwhile, and open none. Returns the way to serve them.
   */
  #hold(): () => void {
    const { server } = this;
    const listeners = server.listeners('request') as ((...exchange: Exchange) => void)[];
    const serve = (...exchange: Exchange) => {
      for (const listener of listeners) listener.apply(server, [...exchange]);
    };
    const held: Exchange[] = [];
    const hold = (...exchange: Exchange) => void (held.length < mostHeld ? held.push(exchange) : serve(...exchange));
    server.removeAllListeners('request');
    server.on('request', hold);
    return () => {
      server.removeListener('request', hold);
      for (const listener of listeners) server.on('request', listener);
      for (const exchange of held) serve(...exchange);
    };
  }

  async #quiet(withinMs: number): Promise<void> {
    const begun = performance.now();
    const isQuiet = () => performance.now() - Math.max(begun, this.#connectedAt) >= quietMs;
    while (!isQuiet() && performance.now() - begun < withinMs) await sleep(lookMs);
    await this.#emptyTurn();
  }

  /** Resolves at once after the event loop has looked for what has come, and found nothing; or after a hundred turns. */
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
