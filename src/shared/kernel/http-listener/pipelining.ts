import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { background } from '../context/index.ts';
import type { UnsentAnswers } from './unsent-answers.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;
type Exchange = readonly [request: IncomingMessage, response: ServerResponse];

/** Maximum waiting requests of all connections together. Each takes a few kilobytes. */
const maxWaitingRequests = 16_384;

/**
 * Answers the requests of each connection one by one: the next request begins when the peer has read the previous answer. Stops
 * reading from a connection while its requests or answers wait. When too many requests wait on all connections together, cuts the
 * connection with the most waiting requests.
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

/** Counts the waiting requests of each connection. */
class WaitingRequests {
  readonly #counts = new Map<Socket, number>();
  #total = 0;
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  /** Sets the count of a connection. Never cuts a peer that does not pipeline: it has no waiting request. */
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
      // Incoming data would count as activity and hide a stalled connection.
      if (response.writableLength > 0 && request.complete) this.#pause();
    });
    response.once('close', () => this.#next());
    void this.answer(request, response);
  }

  /** Begins each waiting request in its own turn of the event loop, so that a burst does not block other connections. */
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
    // The body of the last request may be incomplete.
    if (this.#waiting.length === 0) this.socket.resume();
  }

  /** Pauses the connection two ticks later: Node resumes reading in the tick after a request arrives. */
  #pause(): void {
    background.nextTick(() =>
      background.nextTick(() => {
        if (this.#busy && !this.socket.destroyed) this.socket.pause();
      }),
    );
  }
}
