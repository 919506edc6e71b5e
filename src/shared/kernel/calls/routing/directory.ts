import type { Discovery } from '../discovery/discovery.ts';
import { InProcessTransport, type Parity } from '../in-process.ts';
import type { Dispatch, Transport } from '../transport.ts';
import { unreachable } from '../unreachable.ts';
import { Edge, type EdgeParts } from './edge.ts';
import { Probe } from './probe.ts';
import { Trial } from './trial.ts';

/** How a module stands, as this process sees it. */
export type Whereabouts = {
  readonly transport: Transport;
  /** Other copies that are being tried out, to which `transport` sends some of the calls. */
  readonly trial?: Trial;
} & (
  | { readonly state: 'here'; readonly inside: Transport }
  | { readonly state: 'there'; readonly edge: Edge }
  | { readonly state: 'away' }
);

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
    const { parity, withFaults } = this.parts;
    const inside = new InProcessTransport(dispatch, parity);
    // Whom a fault holds up goes where the module is then.
    const now: Transport = { call: (request) => this.#wayTo(module).call(request) };
    const transport = parity === 'strict' ? withFaults(now) : inside;
    this.#set(module, { state: 'here', transport, inside });
  }

  /** It runs wherever `discovery` says, now and later; while that is nowhere, calls are refused at once and events wait. */
  there(module: string, discovery: Discovery): void {
    let isPlaced = false;
    const edge = new Edge(module, discovery, this.parts, () => isPlaced && this.#tell(module));
    isPlaced = true;
    this.#set(module, { state: 'there', transport: edge, edge });
  }

  /** Asks whoever is at `address` whether it serves the module, which sends no other call there. To be closed. */
  probe(module: string, address: string): Probe {
    const { connect, clock } = this.parts;
    const link = connect(module, address, () => {});
    return new Probe(module, link, clock);
  }

  /** Calls `listener` whenever a module can be reached that could not, or elsewhere than before. */
  onReachable(listener: (module: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Whether the module is served, here or by any instance elsewhere, now: half a second is waited for that, or `withinMs`. */
  async answers(module: string, withinMs?: number): Promise<boolean> {
    const at = this.of(module);
    return at.state === 'there' ? at.edge.answers(withinMs) : at.state === 'here';
  }

  /** Whether calls reach the module now. */
  async reachable(module: string): Promise<boolean> {
    const at = this.of(module);
    return at.state === 'there' ? at.edge.reachable() : at.state === 'here';
  }

  /** Has the copies at `addresses` tried out: the trial decides which calls they get, none to begin with. */
  tryOut(module: string, discovery: Discovery): Trial {
    this.endTrial(module);
    const at = this.of(module);
    const trial = new Trial(at.transport, new Edge(module, discovery, this.parts, () => {}), this.parts.clock);
    this.#modules.set(module, { ...at, transport: trial, trial });
    return trial;
  }

  /** Calls go where they went before the trial, if there is one. */
  endTrial(module: string): void {
    const { trial, ...at } = this.of(module);
    if (!trial) return;
    this.#modules.set(module, { ...at, transport: trial.way });
    this.#retire(trial.edge);
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

  /** The way of a call that has met the faults of its edge already, where the module is here. */
  #wayTo(module: string): Transport {
    const at = this.of(module);
    return at.state === 'here' ? at.inside : at.transport;
  }

  /** Calls that are under way by it end there. */
  #retire(edge: Edge): void {
    const ended = edge.retire();
    this.#retired.set(edge, ended);
    void ended.then(() => this.#retired.delete(edge));
  }

  #set(module: string, whereabouts: Whereabouts): void {
    this.endTrial(module);
    const before = this.#modules.get(module);
    this.#modules.set(module, whereabouts);
    if (before?.state === 'there') this.#retire(before.edge);
    this.#tell(module);
  }

  #tell(module: string): void {
    for (const listener of this.#listeners) listener(module);
  }
}
