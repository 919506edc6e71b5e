import { HttpTransport } from './http/client.ts';
import type { ServiceTokens } from '../identity/index.ts';
import type { TlsParts } from './tls.ts';
import type { Link } from './transport.ts';

/** How a process is reached that runs a module. */
export interface Way {
  /** Its protocol says by what transport: `https://10.0.0.7:4105`, `grpc://payments:4102`, `amqp://broker`. */
  readonly address: string;
  readonly module: string;
  readonly tokens: ServiceTokens;
  readonly tls: TlsParts;
  /** The process at the address is about to stop. */
  readonly onLeaving: () => void;
}

/** Opens a way. Connects when it is first used; what a transport needs is loaded only then. */
export function connectTo(way: Way): Link {
  return new HttpTransport(way);
}
