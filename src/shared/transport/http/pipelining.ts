import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { background } from '../../context/index.ts';
import type { UnsentAnswers } from '../unsent-answers.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;
type Exchange = readonly [request: IncomingMessage, response: ServerResponse];

/** Requests that wait on all connections together; each takes a few kilobytes. */
const maxWaitingRequests = 16_384;

/**
 * Answers the requests of each connection one after the other: the next begins when the peer has taken the answer before. While
 * requests or answers wait, nothing more is read from their connection. A connection that pipelines too much is cut.
 */
export function answerInOrder(
  server: Server,
  answer: Answer,
  unsent: UnsentAnswers,
  maxWaiting = maxWaitingRequests,
): void {
  const connections = new WeakMap<Socket, Connection>();
  const waiting = { requests: 0 };
  server.on('request', (request, response) => {
    const { socket } = request;
    let connection = connections.get(socket);
    if (!connection) {
      connection = new Connection(socket, answer, unsent, waiting);
      connections.set(socket, connection);
    }
    if (waiting.requests >= maxWaiting) socket.destroy();
    else connection.take(request, response);
  });
}

class Connection {
  readonly #waiting: Exchange[] = [];
  #busy = false;

  constructor(
    private readonly socket: Socket,
    private readonly answer: Answer,
    private readonly unsent: UnsentAnswers,
    private readonly counter: { requests: number },
  ) {
    socket.once('close', () => {
      counter.requests -= this.#waiting.length;
      this.#waiting.length = 0;
    });
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    if (this.socket.destroyed) return;
    if (this.#busy) this.#wait([request, response]);
    else this.#begin([request, response]);
  }

  #wait(exchange: Exchange): void {
    this.#waiting.push(exchange);
    this.counter.requests += 1;
    if (this.#waiting.length === 1) this.#pause();
  }

  #begin([request, response]: Exchange): void {
    this.#busy = true;
    response.once('prefinish', () => {
      this.unsent.written(response);
      // What the peer sends would count as activity of a connection that is stalled.
      if (response.writableLength > 0 && request.complete) this.#pause();
    });
    response.once('close', () => this.#next());
    void this.answer(request, response);
  }

  #next(): void {
    this.#busy = false;
    this.unsent.set(this.socket, 0);
    if (this.socket.destroyed) return;
    const next = this.#waiting.shift();
    if (next) {
      this.counter.requests -= 1;
      this.socket.setTimeout(0);
      this.#begin(next);
    }
    // The request that is answered now may have arrived in part.
    if (this.#waiting.length === 0) this.socket.resume();
  }

  /** Node starts to read again in the tick after a request has arrived; the pause must come after that. */
  #pause(): void {
    background.nextTick(() =>
      background.nextTick(() => {
        if (this.#busy && !this.socket.destroyed) this.socket.pause();
      }),
    );
  }
}
