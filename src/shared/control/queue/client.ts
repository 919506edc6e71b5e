import type { Link } from '../../kernel/calls/index.ts';
import { maximumBodyBytes, unreachableBecause } from '../../kernel/calls/index.ts';
import type { Operation } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import type { BrokerSession, CallerTokens, OpenSession, Silence, TlsMaterial } from '../../kernel/ports/index.ts';
import { type Outgoing, WireTransport } from '../../kernel/ports/index.ts';
import { type Live, shareConnection } from './connection.ts';
import type { PendingReply } from './open-calls.ts';

/** Every broker accepts messages of this size. */
const smallBytes = 4 * 1024;

/** Describes how to reach a module over a broker, independent of the process that runs it. */
export interface QueueWay {
  readonly openSession: OpenSession;
  /** Such as `amqp://user:secret@broker:5672?namespace=shop` or `nats://broker:4222`. */
  readonly address: string;
  readonly module: string;
  readonly tokens: CallerTokens;
  readonly tls?: TlsMaterial;
  /** Limits that detect a dead connection. */
  readonly silence?: Silence;
}

/**
 * Calls a module by request and reply over a broker. The module's instances compete for the calls, so an instance can leave without
 * notice. All queue transports of a process to the same broker share one connection.
 */
export class QueueTransport extends WireTransport implements Link {
  readonly isShared = true;
  readonly #shared: ReturnType<typeof shareConnection>;
  #live: Live | undefined;
  #closed = false;
  private readonly way: QueueWay;

  constructor(way: QueueWay) {
    super(way.tokens);
    this.way = way;
    this.#shared = shareConnection(way.openSession, way.address, way.tls, way.silence);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#live?.calls.abandon(this);
    await this.#shared.release();
  }

  protected send(call: Outgoing): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { module, tokens } = this.way;
      const { caller } = call.context;
      if (this.#closed) throw unreachableBecause(module, new Error('this process has closed the connection'), false);
      const waiting = { from: this, module, resolve, reject };
      const live = this.#shared.connection.live();
      const token = tokens.issued(caller, module);
      if (token !== undefined && !(live instanceof Promise)) return this.#put(call, live, { ...waiting, token });
      const reached = Promise.resolve(live).catch((error) => Promise.reject(unreachableBecause(module, error, false)));
      Promise.all([reached, tokens.issue(caller, module)])
        .then(([connected, issued]) => this.#put(call, connected, { ...waiting, token: issued }))
        .catch(reject);
    });
  }

  #put({ operation, input, context, wire }: Outgoing, live: Live, waiting: PendingReply): void {
    if (context.cancellation?.cancelled) return;
    const body = Buffer.from(JSON.stringify({ operation: operation.name, input, context: wire }));
    if (body.length > smallBytes) refuseTooLarge(live.session, { operation, input, bytes: body.length });
    this.#live = live;
    context.cancellation?.onCancel(live.calls.send(body, wire.deadlineMs, waiting));
  }
}

interface Large {
  readonly operation: Operation;
  readonly input: unknown;
  /** Size of the input with its context. */
  readonly bytes: number;
}

function refuseTooLarge({ largest }: BrokerSession, { operation, input, bytes }: Large): void {
  const what = `the input of ${operation.module}.${operation.name}`;
  if (bytes > maximumBodyBytes && Buffer.byteLength(JSON.stringify(input)) > maximumBodyBytes) {
    throw refusal('body-too-large', `${what} is over ${maximumBodyBytes} bytes`);
  }
  if (bytes > largest.bytes)
    throw refusal('body-too-large', `${what} makes a message of ${bytes} bytes; ${largest.cure}`);
}
