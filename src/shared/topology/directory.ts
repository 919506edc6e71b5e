import {
  type Dispatch,
  FaultyTransport,
  InProcessTransport,
  type Parity,
  type Transport,
  unreachable,
} from '../transport/index.ts';
import type { Discovery } from './discovery/index.ts';
import { Edge, type EdgeParts, ping } from './edge.ts';

/** Enough that the way is known to be open and its code has run. */
const warmCalls = 20;

/** How a module stands, as this process sees it. */
export type Whereabouts =
  | { readonly state: 'here'; readonly transport: Transport }
  | { readonly state: 'there'; readonly transport: Transport; readonly edge: Edge }
  | { readonly state: 'away'; readonly transport: Transport };

export interface DirectoryParts extends EdgeParts {
  readonly modules: readonly string[];
  readonly parity: Parity;
}

/** Where each module is now. Clients ask it at every call, so that what it says can change while they serve. */
export class Directory {
  readonly #modules = new Map<string, Whereabouts>();
  readonly #listeners: ((module: string) => void)[] = [];
  /** Edges that nothing more is called by, until what was is answered. */
  readonly #retired = new Map<Edge, Promise<void>>();

  constructor(private readonly parts: DirectoryParts) {
    for (const module of parts.modules) this.#modules.set(module, { state: 'away', transport: unreachable(module) });
  }

  of(module: string): Whereabouts {
    const known = this.#modules.get(module);
    if (!known) throw new Error(`there is no module "${module}"`);
    return known;
  }

  here(module: string, dispatch: Dispatch): void {
    const { parity, faults, clock } = this.parts;
    const inside = new InProcessTransport(dispatch, parity);
    this.#set(module, {
      state: 'here',
      transport: parity === 'strict' ? new FaultyTransport(inside, faults, clock) : inside,
    });
  }

  /** It runs wherever `discovery` says, now and later; while that is nowhere, calls are refused at once and events wait. */
  there(module: string, discovery: Discovery): void {
    let isPlaced = false;
    const edge = new Edge(module, discovery, this.parts, () => isPlaced && this.#tell(module));
    isPlaced = true;
    this.#set(module, { state: 'there', transport: edge, edge });
  }

  /** Makes sure that whoever is at `address` serves the module, before anybody else calls it. Rejects when it does not. */
  async warm(module: string, address: string): Promise<void> {
    const link = this.parts.connect(module, address, () => {});
    try {
      for (let time = 0; time < warmCalls; time++) await ping(module, link, this.parts.clock);
    } finally {
      await link.close();
    }
  }

  /** Calls `listener` whenever a module can be reached that could not, or elsewhere than before. */
  onReachable(listener: (module: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves when no call to `module` is under way by a way that is not taken any more. */
  async drained(module: string): Promise<void> {
    const at = this.of(module);
    const retired = [...this.#retired].flatMap(([edge, ended]) => (edge.module === module ? [ended] : []));
    await Promise.all([...retired, ...(at.state === 'there' ? [at.edge.drained()] : [])]);
  }

  async close(): Promise<void> {
    const edges = [...this.#modules.values()].flatMap((at) => (at.state === 'there' ? [at.edge] : []));
    await Promise.all([...edges, ...this.#retired.keys()].map((edge) => edge.close()));
  }

  /** Calls that are under way by it end there. */
  #retire(edge: Edge): void {
    const ended = edge.retire();
    this.#retired.set(edge, ended);
    void ended.then(() => this.#retired.delete(edge));
  }

  #set(module: string, whereabouts: Whereabouts): void {
    const before = this.#modules.get(module);
    this.#modules.set(module, whereabouts);
    if (before?.state === 'there') this.#retire(before.edge);
    this.#tell(module);
  }

  #tell(module: string): void {
    for (const listener of this.#listeners) listener(module);
  }
}
