import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { background } from '../context/index.ts';
import type { UnsentAnswers } from './unsent-answers.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;
type Exchange = readonly [request: IncomingMessage, response: ServerResponse];

/** Requests that wait on all connections together; each takes a few kilobytes. */
const maxWaitingRequests = 16_384;

/**
 * Answers the requests of each connection one after the other: the next begins when the peer has taken the answer before. While
 * requests or answers wait, nothing more is read from their connection. When too many requests wait on all connections together, the
 * connection with the most of them is cut.
 */
export function answerInOrder(
  server: Server,
  answer: Answer,
  unsent: UnsentAnswers,
  maxWaiting = maxWaitingRequests,
): void {
  const connections = new WeakMap<Socket, Connection>();
  const waiting = new WaitingRequests(maxWaiting);
  server.on('request', (request, response) => {
    const { socket } = request;
    let connection = connections.get(socket);
    if (!connection) {
      connection = new Connection(socket, answer, unsent, waiting);
      connections.set(socket, connection);
    }
    connection.take(request, response);
  });
}

/** The requests that wait, by connection. */
class WaitingRequests {
  readonly #counts = new Map<Socket, number>();
  #total = 0;
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  /** A peer that does not pipeline has no request that waits, and is never cut. */
  set(socket: Socket, count: number): void {
    this.#total += count - (this.#counts.get(socket) ?? 0);
    if (count > 0) this.#counts.set(socket, count);
    else this.#counts.delete(socket);
    while (this.#total > this.max) {
      const [most] = [...this.#counts].reduce((found, each) => (each[1] > found[1] ? each : found));
      this.set(most, 0);
      most.destroy();
    }
  }
}

class Connection {
  readonly #waiting: Exchange[] = [];
  #busy = false;
  private readonly socket: Socket;
  private readonly answer: Answer;
  private readonly unsent: UnsentAnswers;
  private readonly counter: WaitingRequests;

  constructor(socket: Socket, answer: Answer, unsent: UnsentAnswers, counter: WaitingRequests) {
    this.socket = socket;
    this.answer = answer;
    this.unsent = unsent;
    this.counter = counter;
    socket.once('close', () => {
      this.#waiting.length = 0;
      counter.set(socket, 0);
    });
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    if (this.socket.destroyed) return;
    if (this.#busy) this.#wait([request, response]);
    else this.#begin([request, response]);
  }

  #wait(exchange: Exchange): void {
    this.#waiting.push(exchange);
    if (this.#waiting.length === 1) this.#pause();
    this.counter.set(this.socket, this.#waiting.length);
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

  /** A waiting request begins in a turn of the event loop of its own: a burst of them leaves room for other connections. */
  #next(): void {
    this.unsent.set(this.socket, 0);
    if (this.#waiting.length > 0) {
      background.setImmediate(() => this.#beginWaiting());
      return;
    }
    this.#busy = false;
    if (!this.socket.destroyed) this.socket.resume();
  }

  #beginWaiting(): void {
    const next = this.#waiting.shift();
    if (!next || this.socket.destroyed) return;
    this.counter.set(this.socket, this.#waiting.length);
    this.socket.setTimeout(0);
    this.#begin(next);
    // The last one may have arrived in part.
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
