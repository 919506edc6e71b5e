import type { ServiceTokens } from '../identity/index.ts';
import {
  type Dispatch,
  HttpTransport,
  InProcessTransport,
  type Peers,
  type Transport,
  unreachable,
} from '../transport/index.ts';

/** How a module stands, as this process sees it. */
export type Whereabouts =
  | { readonly state: 'here'; readonly transport: Transport }
  | { readonly state: 'there'; readonly transport: Transport; readonly address: string }
  | { readonly state: 'away'; readonly transport: Transport };

/** Where each module is now. Clients ask it at every call, so that what it says can change while they serve. */
export class Directory {
  readonly #modules = new Map<string, Whereabouts>();
  readonly #listeners: ((module: string) => void)[] = [];

  constructor(
    modules: Iterable<string>,
    private readonly peers: Peers,
    private readonly tokens: ServiceTokens,
  ) {
    for (const module of modules) this.away(module);
  }

  of(module: string): Whereabouts {
    const known = this.#modules.get(module);
    if (!known) throw new Error(`there is no module "${module}"`);
    return known;
  }

  here(module: string, dispatch: Dispatch): void {
    this.#set(module, { state: 'here', transport: new InProcessTransport(dispatch) });
  }

  there(module: string, address: string): void {
    this.#set(module, {
      state: 'there',
      address,
      transport: new HttpTransport(module, address, this.peers, this.tokens),
    });
  }

  /** It cannot be reached now: calls are refused at once, events wait. */
  away(module: string): void {
    this.#set(module, { state: 'away', transport: unreachable(module) });
  }

  /** Addresses of all that other processes may be told of. */
  addresses(): Record<string, string> {
    return Object.fromEntries(
      [...this.#modules].flatMap(([name, at]) => (at.state === 'there' ? [[name, at.address]] : [])),
    );
  }

  /** Calls `listener` whenever a module's whereabouts change. */
  onChange(listener: (module: string) => void): void {
    this.#listeners.push(listener);
  }

  #set(module: string, whereabouts: Whereabouts): void {
    this.#modules.set(module, whereabouts);
    for (const listener of this.#listeners) listener(module);
  }
}
