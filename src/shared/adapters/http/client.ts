import { type ClientRequest, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { type Link, maximumBodyBytes, unreachableBecause } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import {
  type CallerTokens,
  defaultSilence,
  type Outgoing,
  type Silence,
  type TlsMaterial,
  WireTransport,
} from '../../kernel/ports/index.ts';
import { Exchange } from './exchange.ts';

/** A larger call uses its own connection, so that small calls do not wait behind it. */
const largeCharacters = 64 * 1024;
/** A new exchange replaces an exchange before its token expires. */
const exchangeLifeMs = 25_000;

/** Route to a module in another process over HTTP. */
export interface HttpWay {
  /** Such as `https://10.0.0.7:4105`. */
  readonly address: string;
  readonly module: string;
  readonly tokens: CallerTokens;
  readonly tls?: TlsMaterial;
  /** Called when the process at the address is about to stop. */
  readonly onLeaving?: () => void;
  /** Times after which the client detects a dead connection. */
  readonly silence?: Silence;
}

/** Calls a module of another process over HTTP. Keeps one exchange open for each caller. */
export class HttpTransport extends WireTransport implements Link {
  readonly #exchanges = new Map<string, Promise<Exchange> | Exchange>();
  readonly #all = new Set<Exchange>();
  readonly #agent: PlainAgent;
  #nextId = 1;
  #closed = false;
  private readonly way: HttpWay;

  constructor(way: HttpWay) {
    super(way.tokens);
    this.way = way;
    const { cert, key, ca } = way.tls ?? {};
    const keepAlive = { keepAlive: true, maxFreeSockets: 8 };
    this.#agent = way.address.startsWith('https:')
      ? new TlsAgent({ ...keepAlive, cert, key, ca })
      : new PlainAgent(keepAlive);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const exchange of this.#all) exchange.destroy();
    this.#exchanges.clear();
    this.#agent.destroy();
  }

  protected send({ operation, input, context, wire }: Outgoing): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const line = JSON.stringify({ id, operation: operation.name, input, context: wire });
      const large = line.length > largeCharacters;
      if (large && Buffer.byteLength(JSON.stringify(input)) > maximumBodyBytes) {
        const what = `${operation.module}.${operation.name}`;
        throw refusal('body-too-large', `the input of ${what} is over ${maximumBodyBytes} bytes`);
      }
      const put = (exchange: Exchange) => {
        if (!context.cancellation?.cancelled) {
          const giveUp = exchange.add(id, line, { resolve, reject });
          context.cancellation?.onCancel(giveUp);
        }
        if (large) exchange.retire();
      };
      const exchange = large ? this.#open(context.caller) : this.#exchangeOf(context.caller);
      if (exchange instanceof Exchange) put(exchange);
      else exchange.then(put, reject);
    });
  }

  #exchangeOf(caller: string): Promise<Exchange> | Exchange {
    const known = this.#exchanges.get(caller);
    if (known && (known instanceof Promise || known.takes)) return known;
    const opening = this.#open(caller).then(
      (opened) => {
        this.#exchanges.set(caller, opened);
        return opened;
      },
      (error) => {
        this.#exchanges.delete(caller);
        throw error;
      },
    );
    this.#exchanges.set(caller, opening);
    return opening;
  }

  /** Opens an exchange outside the context of the current call, because the exchange outlives that call. */
  #open(caller: string): Promise<Exchange> {
    return background.run(() => this.#connect(caller));
  }

  async #connect(caller: string): Promise<Exchange> {
    const { module, tokens, silence = defaultSilence, onLeaving } = this.way;
    const token = await tokens.issue(caller, module);
    if (this.#closed) throw unreachableBecause(module, new Error('this way to it was closed'), false);
    const request = this.#request(token);
    const exchange = new Exchange(module, request, silence, onLeaving);
    this.#all.add(exchange);
    const retiring = background.setTimeout(() => exchange.retire(), exchangeLifeMs).unref();
    request.once('close', () => {
      clearTimeout(retiring);
      this.#all.delete(exchange);
    });
    return exchange;
  }

  #request(token: string): ClientRequest {
    const { address, module } = this.way;
    const send = address.startsWith('https:') ? tlsRequest : plainRequest;
    return send(`${address}/modules/${module}`, {
      agent: this.#agent,
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/x-ndjson',
        'transfer-encoding': 'chunked',
      },
    });
  }
}
