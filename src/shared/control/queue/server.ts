import type { Serve } from '../../kernel/calls/index.ts';
import { cancelledBefore, maximumBodyBytes, timedOut } from '../../kernel/calls/index.ts';
import type { Cancellation } from '../../kernel/context/index.ts';
import { mismatch, safeParse } from '../../kernel/contract/index.ts';
import { messageOf, refusal, toProblem } from '../../kernel/errors/index.ts';
import type {
  BrokerSession,
  Inbound,
  OpenSession,
  RequestSubscription,
  TlsMaterial,
} from '../../kernel/ports/index.ts';
import {
  BrokerReachability,
  bearer,
  type CallerTokens,
  fromWire,
  maximumMessageBytes,
  shownAddress,
  UnauthenticatedCallers,
} from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { type SessionUser, shareConnection } from './connection.ts';
import { toAll, wireRequest } from './protocol.ts';

/** Maximum number of cancelled calls that an instance remembers, including calls of other instances. It forgets the oldest first. */
const maxCancelled = 1_000;

export interface QueueServerDependencies {
  readonly openSession: OpenSession;
  /** Such as `amqp://user:secret@broker:5672?namespace=shop` or `nats://broker:4222`. */
  readonly url: string;
  readonly module: string;
  readonly serve: Serve;
  readonly tokens: CallerTokens;
  readonly log: Log;
  readonly tls?: TlsMaterial;
}

/** Takes a module's calls from a broker. Other instances take other calls. */
export interface QueueServer {
  /** Stops taking calls. Resolves when all calls in flight are served. */
  leave(): Promise<void>;
  /** Cancels the calls in flight and releases the connection. Call `leave` first. */
  close(): Promise<void>;
}

/**
 * Serves a module over a broker. Resolves when the server takes calls, or when the broker turns out to be unreachable. The server
 * then tries again until it succeeds, and logs this once.
 */
export async function serveQueue(parts: QueueServerDependencies): Promise<QueueServer> {
  const { connection, release } = shareConnection(parts.openSession, parts.url, parts.tls);
  const served = new ServedModule(parts);
  connection.add(served);
  await served.begun;
  return {
    leave: () => served.leave(),
    async close() {
      connection.remove(served);
      await served.close();
      await release();
    },
  };
}

interface CallInFlight {
  readonly caller: string;
  readonly cancellation: Cancellation | undefined;
}

/** Serves the calls of one module in this instance, over consecutive sessions. */
class ServedModule implements SessionUser {
  readonly #begun = Promise.withResolvers<void>();
  /** Resolves with the current session's subscription, or with undefined when the subscription failed. */
  #subscribing: Promise<RequestSubscription | undefined> = Promise.resolve(undefined);
  #session: BrokerSession | undefined;
  readonly #calls = new Map<string, CallInFlight>();
  readonly #cancelledCalls = new Set<string>();
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #leaving = false;
  #warned = false;

  readonly #reachability: BrokerReachability;
  readonly #strangers: UnauthenticatedCallers;
  private readonly parts: QueueServerDependencies;

  constructor(parts: QueueServerDependencies) {
    this.parts = parts;
    this.#reachability = new BrokerReachability(this.#broker, parts.log, parts.module);
    this.#strangers = new UnauthenticatedCallers(parts.log);
  }

  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  begin(session: BrokerSession): void {
    if (this.#leaving) return;
    this.#session = session;
    this.#subscribing = this.#subscribe(session);
    void session.ended.then(() => this.#abandon(session));
  }

  lost(why: unknown): void {
    this.#begun.resolve();
    this.#reachability.lost(why);
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    const subscription = await this.#subscribing;
    await Promise.race([subscription?.leave().catch(() => {}), this.#session?.ended]);
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  async close(): Promise<void> {
    this.#leaving = true;
    const subscription = await this.#subscribing;
    await subscription?.close();
    if (this.#session) this.#abandon(this.#session);
  }

  async #subscribe(session: BrokerSession): Promise<RequestSubscription | undefined> {
    const requests = {
      one: (message: Inbound) => void this.#take(message, session),
      all: (message: Inbound) => void this.#hear(message, session),
    };
    try {
      const subscription = await session.subscribe(this.parts.module, requests);
      this.#reachability.reached();
      this.#begun.resolve();
      return subscription;
    } catch (error) {
      void session.close(error);
      return undefined;
    }
  }

  async #take(message: Inbound, session: BrokerSession): Promise<void> {
    this.#inFlight += 1;
    try {
      const output = await this.#serve(message);
      message.answer(answerBody({ output }, session));
    } catch (error) {
      this.#strangers.note(error, { module: this.parts.module, from: this.#broker });
      message.answer(answerBody({ problem: toProblem(error) }, session));
    }
    this.#calls.delete(message.id);
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#idle?.();
  }

  async #serve(message: Inbound): Promise<unknown> {
    const { module, tokens, serve } = this.parts;
    const caller = await this.#callerOf(message);
    const call = safeParse(wireRequest, message.content);
    if (!call.success) throw this.#strange(mismatch(wireRequest, message.content));
    const { operation, input, context: wire } = call.data;
    if (message.hadByOther) throw refusal('unavailable', 'the instance that had the call has gone');
    const known = fromWire(wire, caller, tokens);
    const context = 'then' in known ? await known : known;
    const what = { module, name: operation };
    if (context.deadline <= Date.now()) throw timedOut(what);
    if (this.#cancelledCalls.delete(keyOf(caller, message.id))) throw cancelledBefore(what);
    this.#calls.set(message.id, { caller, cancellation: context.cancellation });
    return serve(module, operation, input, context);
  }

  async #hear(message: Inbound, session: BrokerSession): Promise<void> {
    try {
      const caller = await this.#callerOf(message);
      const heard = safeParse(toAll, message.content);
      if (!heard.success) throw this.#strange(mismatch(toAll, message.content));
      if ('cancel' in heard.data) return this.#cancel(caller, heard.data.cancel);
      // A request that is not here may still wait at the broker, which will deliver it to an instance.
      const all = session.keepsRequests && !this.#leaving;
      const have = heard.data.ask.filter((id) => all || this.#calls.has(id));
      message.answer(Buffer.from(JSON.stringify({ have })));
    } catch (error) {
      this.#strangers.note(error, { module: this.parts.module, from: this.#broker });
    }
  }

  async #callerOf({ authorization }: Inbound): Promise<string> {
    return this.parts.tokens.verify(bearer(authorization), this.parts.module);
  }

  /** Cancels a call in flight. A call that arrives after its cancellation does not begin. */
  #cancel(caller: string, id: string): void {
    const call = this.#calls.get(id);
    if (call) return void (call.caller === caller && call.cancellation?.cancel());
    this.#cancelledCalls.add(keyOf(caller, id));
    if (this.#cancelledCalls.size <= maxCancelled) return;
    const [oldest = ''] = this.#cancelledCalls;
    this.#cancelledCalls.delete(oldest);
  }

  /** Logs the first message that is not a call. Returns `error`. */
  #strange(error: unknown): unknown {
    if (!this.#warned) {
      const about = { broker: this.#broker, module: this.parts.module, why: messageOf(error) };
      this.parts.log.warn(about, 'a message came that is no call of a module; this is said once');
    }
    this.#warned = true;
    return error;
  }

  /** Cancels all calls of a session that has ended, since their answers can no longer be sent. */
  #abandon(session: BrokerSession): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    for (const { cancellation } of this.#calls.values()) cancellation?.cancel();
    this.#calls.clear();
  }

  get #broker(): string {
    return shownAddress(this.parts.url);
  }
}

function keyOf(caller: string, id: string): string {
  return `${caller} ${id}`;
}

function answerBody(answer: object, { largest }: BrokerSession): Buffer {
  const body = Buffer.from(JSON.stringify(answer));
  if (body.length <= largest.bytes) return body;
  const limit =
    largest.bytes < maximumMessageBytes
      ? `the answer makes a message of ${body.length} bytes; ${largest.cure}`
      : `the answer is over ${maximumBodyBytes} bytes`;
  return Buffer.from(JSON.stringify({ problem: toProblem(refusal('body-too-large', limit)) }));
}
