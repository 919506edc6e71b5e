import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * The fate of a connection's bytes in one direction. `pass` forwards them. `crumble` forwards a few bytes in each turn of the event
 * loop. `swallow` reads and drops them. `stall` does not read them, so that the sender has to wait. `cutAfterBytes` forwards a
 * number of bytes and then cuts the connection.
 */
export type Fate = 'pass' | 'crumble' | 'swallow' | 'stall' | { readonly cutAfterBytes: number };

/** The fates of the two directions, as the caller sees them. */
export interface Fates {
  readonly requests?: Fate;
  readonly answers?: Fate;
}

/** Simulates a faulty network between a caller and a callee on this machine; for tests. */
export class ChaosProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #accepted = 0;

  private constructor(calleePort: number, fates: Fates) {
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (caller) => {
      this.#accepted += 1;
      const pair = new Pair(caller, connect({ port: calleePort, host: '127.0.0.1', noDelay: true }), fates);
      this.#pairs.add(pair);
      caller.once('close', () => this.#pairs.delete(pair));
    });
  }

  /** Opens a proxy. `fates` apply to every connection until `meet` changes them. */
  static async open(calleePort: number, fates: Fates = {}): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(calleePort, fates);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  /** The port at which callers reach the callee through this proxy. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The number of connections so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Changes the fates of the current connections. Later connections keep the fates of `open`. */
  meet(fates: Fates): void {
    for (const pair of this.#pairs) pair.meet(fates);
  }

  /** Resets the current connections without an orderly end. */
  cut(): void {
    for (const pair of this.#pairs) pair.cut();
  }

  /** Ends the current connections in an orderly way. Resolves when their callers have noticed. */
  async end(): Promise<void> {
    await Promise.all([...this.#pairs].map((pair) => pair.end()));
  }

  /** Resolves when the caller has closed every current connection by itself. */
  async closedByCaller(): Promise<void> {
    await Promise.all([...this.#pairs].map((pair) => pair.closedByCaller));
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** One proxied connection: the caller's socket and the callee's socket. */
class Pair {
  readonly closedByCaller: Promise<unknown>;
  readonly #requests: Direction;
  readonly #answers: Direction;
  private readonly caller: Socket;
  private readonly callee: Socket;

  constructor(caller: Socket, callee: Socket, { requests = 'pass', answers = 'pass' }: Fates) {
    this.caller = caller;
    this.callee = callee;
    this.closedByCaller = new Promise((resolve) => caller.once('end', resolve).once('close', resolve));
    const cut = () => this.cut();
    this.#requests = new Direction(caller, callee, requests, cut);
    this.#answers = new Direction(callee, caller, answers, cut);
  }

  meet({ requests, answers }: Fates): void {
    if (requests) this.#requests.meet(requests);
    if (answers) this.#answers.meet(answers);
  }

  cut(): void {
    this.caller.resetAndDestroy();
    this.callee.resetAndDestroy();
  }

  async end(): Promise<void> {
    this.caller.end();
    this.callee.end();
    await this.closedByCaller;
  }
}

const crumbBytes = [1, 2, 3, 5, 7];

/** Forwards bytes from one end to the other. */
class Direction {
  #fate: Fate = 'pass';
  #bytes = 0;
  private readonly from: Socket;
  private readonly to: Socket;
  private readonly cut: () => void;

  constructor(from: Socket, to: Socket, fate: Fate, cut: () => void) {
    this.from = from;
    this.to = to;
    this.cut = cut;
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.on('end', () => this.#fate === 'swallow' || to.end());
    from.on('close', () => this.#fate === 'swallow' || to.destroy());
    from.on('error', () => {});
    this.meet(fate);
  }

  meet(fate: Fate): void {
    this.#fate = fate;
    this.#bytes = 0;
    if (fate === 'stall') this.from.pause();
    else this.from.resume();
  }

  #take(chunk: Buffer): void {
    if (this.#fate === 'swallow') return;
    if (this.#fate === 'crumble') return void this.#crumble(chunk);
    if (typeof this.#fate === 'object') {
      const left = this.#fate.cutAfterBytes - this.#bytes;
      this.#bytes += chunk.length;
      if (chunk.length >= left) {
        this.to.write(chunk.subarray(0, Math.max(0, left)), this.cut);
        return void this.from.pause();
      }
    }
    if (this.to.write(chunk)) return;
    this.from.pause();
    this.to.once('drain', () => this.#fate === 'stall' || this.from.resume());
  }

  async #crumble(chunk: Buffer): Promise<void> {
    this.from.pause();
    for (let at = 0, crumb = 0; at < chunk.length && this.to.writable; crumb++) {
      const bytes = crumbBytes[crumb % crumbBytes.length]!;
      this.to.write(chunk.subarray(at, at + bytes));
      at += bytes;
      await new Promise(setImmediate);
    }
    this.from.resume();
  }
}
