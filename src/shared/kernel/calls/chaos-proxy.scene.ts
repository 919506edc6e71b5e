import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What becomes of the bytes of a connection in one direction: they pass; they pass in crumbs of a few bytes, one in each turn of
 * the event loop; they are taken and go nowhere; they are not even taken, so that their sender has to wait; they pass up to a
 * number of bytes, and then the connection is cut.
 */
export type Fate = 'pass' | 'crumble' | 'swallow' | 'stall' | { readonly cutAfterBytes: number };

/** The fates of the two directions, as the caller sees them. */
export interface Fates {
  readonly requests?: Fate;
  readonly answers?: Fate;
}

/** A network between a caller and a callee on this machine, with the ills that networks have; for tests. */
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

  /** `fates` are those of every connection, until it meets others. */
  static async open(calleePort: number, fates: Fates = {}): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(calleePort, fates);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  /** Where callers find the callee through this. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  /** What the connections of now meet from now on; those to come do not. */
  meet(fates: Fates): void {
    for (const pair of this.#pairs) pair.meet(fates);
  }

  /** Cuts the connections of now off, without a farewell. */
  cut(): void {
    for (const pair of this.#pairs) pair.cut();
  }

  /** Ends the connections of now in order. Resolves when their callers have seen it. */
  async end(): Promise<void> {
    await Promise.all([...this.#pairs].map((pair) => pair.end()));
  }

  /** Resolves when the caller has closed every connection of now by itself. */
  async closedByCaller(): Promise<void> {
    await Promise.all([...this.#pairs].map((pair) => pair.closedByCaller));
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** One connection: that of the caller, and that to the callee. */
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

/** What goes from one end to the other. */
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
