import type { Contract } from '../contract/index.ts';
import type { ServiceTokens } from '../identity/index.ts';
import { HttpTransport } from './http/client.ts';
import type { TlsParts } from './tls.ts';
import type { CallRequest, Link } from './transport.ts';

/** How a process is reached that runs a module. */
export interface Way {
  /** Its protocol says by what transport: `https://10.0.0.7:4105`, `grpc://payments:4102`, `amqp://broker`. */
  readonly address: string;
  readonly module: string;
  readonly contract: Contract;
  readonly tokens: ServiceTokens;
  readonly tls: TlsParts;
  /** The process at the address is about to stop. */
  readonly onLeaving: () => void;
}

/** Opens a way. It connects when it is first used, and what its transport needs is loaded then. */
export function connectTo(way: Way): Link {
  if (/^https?:/.test(way.address)) return new HttpTransport(way);
  if (/^grpcs?:/.test(way.address))
    return new LazyLink(async () => new (await import('./grpc/index.ts')).GrpcTransport(way));
  return new LazyLink(async () => new (await import('./queue/index.ts')).QueueTransport(way));
}

class LazyLink implements Link {
  #link: Link | undefined;
  #loading: Promise<Link> | undefined;

  constructor(private readonly load: () => Promise<Link>) {}

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
