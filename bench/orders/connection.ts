import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: boolean;
}

const headEnd = Buffer.from('\r\n\r\n');

/**
 * One keep-alive HTTP/1.1 connection that carries one request at a time. It only understands answers with a `Content-Length`.
 * It costs a fraction of a general client, so that a benchmark on two cores measures the server and not the client.
 */
export class Connection {
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #answered: ((reply: Reply) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  private readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  async open(): Promise<void> {
    this.#socket = this.#open();
    await once(this.#socket, 'connect');
  }

  /** Sends `request`, complete with its head. Rejects when the connection fails, or stays silent for `patienceMs`. */
  send(request: string, patienceMs: number): Promise<Reply> {
    this.#socket ??= this.#open();
    this.#socket.setTimeout(patienceMs);
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket!.write(request);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (chunk) => this.#take(chunk));
    const end = (error?: Error) => {
      this.#socket = undefined;
      this.#received = Buffer.alloc(0);
      this.#failed?.(error ?? new Error('the connection was closed'));
    };
    socket.once('timeout', () => socket.destroy(new Error('no answer came in time')));
    socket.once('error', end);
    socket.once('close', () => end());
    return socket;
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length > 0 ? Buffer.concat([this.#received, chunk]) : chunk;
    const at = this.#received.indexOf(headEnd);
    if (at < 0) return;
    const head = this.#received.toString('latin1', 0, at);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`an answer without Content-Length:\n${head}`);
    const end = at + headEnd.length + Number(length);
    if (this.#received.length < end) return;
    const body = this.#received.toString('utf8', at + headEnd.length, end);
    this.#received = this.#received.subarray(end);
    const answered = this.#answered;
    this.#answered = this.#failed = undefined;
    answered?.({ status: Number(head.slice(9, 12)), body, retryAfter: /\r\nretry-after:/i.test(head) });
  }
}
