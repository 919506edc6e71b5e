import { parseInput } from '../../contract/index.ts';
import { refusal } from '../../errors/index.ts';
import type { ServiceTokens } from '../../identity/index.ts';
import { asCallerSees } from '../as-caller-sees.ts';
import { byDeadline } from '../deadlines.ts';
import type { CallRequest, Transport } from '../transport.ts';
import { Gatherer } from './gatherer.ts';
import type { Peers } from './peers.ts';
import { maximumBodyBytes, toWire } from './wire.ts';

/** Calls a module of another process. */
export class HttpTransport implements Transport {
  readonly #gatherers = new Map<string, Gatherer>();
  #nextId = 1;

  constructor(
    private readonly module: string,
    private readonly address: string,
    private readonly peers: Peers,
    private readonly tokens: ServiceTokens,
  ) {}

  async call(request: CallRequest): Promise<unknown> {
    const { operation, context } = request;
    try {
      const output = operation.output.safeParse(await byDeadline(this.#exchange(request), context.deadline, operation));
      if (output.success) return output.data;
      throw refusal('internal', `${this.module}.${operation.name} answered what its contract does not say`);
    } catch (error) {
      throw asCallerSees(error, request);
    }
  }

  /** Checks the input on this side as well: what JSON would silently change must be refused as it is in-process. */
  #exchange({ operation, input, context }: CallRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const wire = toWire(context);
      const parsed = parseInput(operation.input, input);
      const line = JSON.stringify({ id, operation: operation.name, input: parsed, context: wire });
      if (Buffer.byteLength(line) > maximumBodyBytes) {
        throw refusal(
          'body-too-large',
          `the input of ${this.module}.${operation.name} is over ${maximumBodyBytes} bytes`,
        );
      }
      this.#gathererOf(context.caller).add({ id, line, deadlineMs: wire.deadlineMs, resolve, reject });
    });
  }

  #gathererOf(caller: string): Gatherer {
    let gatherer = this.#gatherers.get(caller);
    if (!gatherer) {
      gatherer = new Gatherer(this.module, caller, this.address, this.peers, this.tokens);
      this.#gatherers.set(caller, gatherer);
    }
    return gatherer;
  }
}
