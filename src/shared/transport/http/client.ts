import type { CallContext } from '../../context/index.ts';
import { parseInput } from '../../contract/index.ts';
import { fromProblem, isProblem, refusal } from '../../errors/index.ts';
import type { ServiceTokens } from '../../identity/index.ts';
import { byDeadline } from '../deadlines.ts';
import type { CallRequest, Transport } from '../transport.ts';
import { type Peers, unreachableBecause } from './peers.ts';
import { contextHeaders } from './wire.ts';

/** Calls a module of another process. */
export class HttpTransport implements Transport {
  readonly kind = 'http';
  #underWay = 0;
  #whenIdle: (() => void) | undefined;

  constructor(
    private readonly module: string,
    private readonly address: string,
    private readonly peers: Peers,
    private readonly tokens: ServiceTokens,
  ) {}

  /** Checks the input on this side as well: what JSON would silently change must be refused as it is in-process. */
  async call({ operation, input, context }: CallRequest): Promise<unknown> {
    const body = JSON.stringify(parseInput(operation.input, input));
    const controller = new AbortController();
    this.#underWay += 1;
    try {
      const answer = this.#exchange(`/modules/${this.module}/${operation.name}`, body, context, controller.signal);
      const output = operation.output.safeParse(await byDeadline(answer, context.deadline, operation));
      if (output.success) return output.data;
      throw refusal('internal', `${this.module}.${operation.name} answered what its contract does not say`);
    } finally {
      controller.abort();
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#whenIdle?.();
    }
  }

  async #exchange(path: string, body: string, context: CallContext, signal: AbortSignal): Promise<unknown> {
    const token = await this.tokens.issue(context.caller, this.module);
    try {
      const answer = await this.peers.at(this.address).request({
        method: 'POST',
        path,
        body,
        signal,
        headers: { ...contextHeaders(context), 'content-type': 'application/json', authorization: `Bearer ${token}` },
      });
      const value: unknown = await answer.body.json();
      if (answer.statusCode === 200) return value;
      throw isProblem(value) ? fromProblem(value) : new Error(`status ${answer.statusCode}`);
    } catch (error) {
      throw error instanceof Error && error.name === 'Refusal' ? error : unreachableBecause(this.module, error);
    }
  }

  async close(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
  }
}
