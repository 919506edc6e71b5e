import { unreachableBecause } from '../../kernel/calls/index.ts';
import type { Cancel, Clock } from '../../kernel/context/index.ts';
import { fromProblem, isProblem } from '../../kernel/errors/index.ts';
import type { BrokerSession, Outbound, Replies } from '../../kernel/ports/index.ts';
import type { WireAnswer } from './protocol.ts';

/** A call in flight. */
export interface PendingReply {
  /** The owner of the call. When the owner closes, the call is refused. */
  readonly from: object;
  readonly module: string;
  readonly token: string;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Open extends PendingReply {
  /** When an instance was last known to have the call. */
  heardAt: number;
}

/** Wait before asking which instance has a call, and wait before the call counts as lost, in milliseconds. */
export const doubt = { afterMs: 1_000, lostAfterMs: 4_000 } as const;

const askedLifeMs = 4_000;
const asking = 'ask:';
const cancelling = 'cancel';

/** Tracks the calls in flight of one session. Refuses a call that no instance has any more as `unavailable`. */
export class OpenCalls implements Replies {
  readonly #open = new Map<string, Open>();
  #session: BrokerSession | undefined;
  #nextId = 1;
  #watching: Cancel | undefined;
  #lost: unknown;
  private readonly name: string;
  private readonly clock: Clock;

  /** `name` is unique to this session. Every id begins with it. */
  constructor(name: string, clock: Clock) {
    this.name = name;
    this.clock = clock;
  }

  /** Uses `session` for all calls from now on, until it ends. */
  begin(session: BrokerSession): void {
    this.#session = session;
    void session.ended.then((why) => this.#end(why));
  }

  /** Sends a call. Returns a function that cancels it. */
  send(body: Buffer, lifeMs: number, call: PendingReply): () => void {
    const { module, token } = call;
    const id = `${this.name}-${this.#nextId++}`;
    if (!this.#put({ to: 'one', module, id, token, body, lifeMs }, call)) return () => {};
    this.#open.set(id, { ...call, heardAt: this.clock.now() });
    this.#watch();
    return () => {
      if (this.#open.delete(id)) this.#tellAll(call, cancelling, { cancel: id });
    };
  }

  /** Refuses all calls of `from`. */
  abandon(from: object): void {
    for (const [id, call] of this.#open) {
      if (call.from !== from) continue;
      this.#open.delete(id);
      call.reject(this.#gone(call, 'this process closes the connection', true));
    }
  }

  answered(id: string, content: unknown): void {
    const answer = content as WireAnswer | null | undefined;
    if (answer && typeof answer === 'object' && 'have' in answer) return void this.#heardOf(answer.have);
    const call = this.#take(id);
    if (!call) return;
    if (!answer || typeof answer !== 'object')
      call.reject(this.#gone(call, 'the answer is not of this protocol', true));
    else if (isProblem(answer.problem)) call.reject(fromProblem(answer.problem));
    else call.resolve(answer.output);
  }

  nobody(id: string): void {
    if (id.startsWith(asking)) return void this.#giveUp(doubt.afterMs, id.slice(asking.length));
    const call = this.#take(id);
    call?.reject(this.#gone(call, 'nobody takes its calls from the broker', false));
  }

  #put(message: Outbound, call: PendingReply): boolean {
    try {
      if (!this.#session || this.#lost) throw this.#lost ?? new Error('there is no connection');
      this.#session.send(message);
      return true;
    } catch (error) {
      call.reject(unreachableBecause(call.module, error, false));
      return false;
    }
  }

  #tellAll({ module, token }: PendingReply, id: string, content: object): void {
    try {
      const body = Buffer.from(JSON.stringify(content));
      this.#session?.send({ to: 'all', module, id, token, body, lifeMs: askedLifeMs });
    } catch {
      // The instances cannot be reached. The call's deadline has travelled with the call.
    }
  }

  #take(id: string): Open | undefined {
    const call = this.#open.get(id);
    this.#open.delete(id);
    return call;
  }

  #heardOf(ids: readonly unknown[]): void {
    for (const id of Array.isArray(ids) ? ids : []) {
      const call = this.#open.get(String(id));
      if (call) call.heardAt = this.clock.now();
    }
  }

  #watch(): void {
    this.#watching ??= this.clock.after(doubt.afterMs, () => {
      this.#watching = undefined;
      if (this.#open.size === 0) return;
      this.#giveUp(doubt.lostAfterMs);
      this.#ask();
      this.#watch();
    });
  }

  /** Asks each module's instances which of them has the calls that were silent for a while. */
  #ask(): void {
    const doubted = Map.groupBy(this.#silentFor(doubt.afterMs), ([, { module }]) => module);
    for (const [module, calls] of doubted) {
      const [first] = calls;
      if (first) this.#tellAll(first[1], `${asking}${module}`, { ask: calls.map(([id]) => id) });
    }
  }

  #giveUp(silentMs: number, module?: string): void {
    for (const [id, call] of this.#silentFor(silentMs)) {
      if (module !== undefined && call.module !== module) continue;
      this.#open.delete(id);
      call.reject(this.#gone(call, 'the instance that had the call has gone', true));
    }
  }

  #silentFor(silentMs: number): [string, Open][] {
    const before = this.clock.now() - silentMs;
    return [...this.#open].filter(([, { heardAt }]) => heardAt <= before);
  }

  #gone({ module }: PendingReply, why: string, sent: boolean): Error {
    return unreachableBecause(module, new Error(why), sent);
  }

  #end(why: unknown): void {
    this.#lost = why;
    this.#watching?.();
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const call of open) call.reject(unreachableBecause(call.module, why, true));
  }
}
