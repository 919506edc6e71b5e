import type { Contract } from '../contract/index.ts';
import type { CallerTokens } from './caller-tokens.ts';
import type { OpenSession } from './queue/broker.ts';
import { QueueTransport } from './queue/client.ts';
import type { TlsMaterial } from './tls.ts';
import type { CallRequest, Link } from './transport.ts';

/** Describes how to reach a process that runs a module. */
export interface Way {
  /** The protocol selects the transport: `https://10.0.0.7:4105`, `grpc://payments:4102`, `amqp://broker`. */
  readonly address: string;
  readonly module: string;
  readonly contract: Contract;
  readonly tokens: CallerTokens;
  readonly tls: TlsMaterial;
  /** Called when the process at the address is about to stop. */
  readonly onLeaving: () => void;
}

/** Returns a link by request and reply over the broker at the address. */
export function callOver(openSession: OpenSession, way: Way): Link {
  return new QueueTransport({ ...way, openSession });
}

/** A link whose transport is loaded with the first call. */
export class LazyLink implements Link {
  #link: Link | undefined;
  #loading: Promise<Link> | undefined;
  private readonly load: () => Promise<Link>;

  constructor(load: () => Promise<Link>) {
    this.load = load;
  }

  call(request: CallRequest): Promise<unknown> {
    if (this.#link) return this.#link.call(request);
    this.#loading ??= this.load().then((link) => {
      this.#link = link;
      return link;
    });
    return this.#loading.then((link) => link.call(request));
  }

  async close(): Promise<void> {
    await (await this.#loading)?.close();
  }
}
