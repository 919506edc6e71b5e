import type { Discovery } from '../discovery/discovery.ts';
import { InProcessTransport, type Parity } from '../in-process.ts';
import type { Dispatch, Transport } from '../transport.ts';
import { unreachable } from '../unreachable.ts';
import { Probe } from './probe.ts';
import { Trial } from './trial.ts';
import { Upstream, type UpstreamDependencies } from './upstream.ts';

/** How a module stands, as this process sees it. */
export type Route = {
  readonly transport: Transport;
  /** Other replicas that are being tried out, to which `transport` sends some of the calls. */
  readonly trial?: Trial;
} & (
  | { readonly state: 'here'; readonly inside: Transport }
  | { readonly state: 'there'; readonly upstream: Upstream }
  | { readonly state: 'away' }
);

export interface DirectoryDependencies extends UpstreamDependencies {
  readonly modules: readonly string[];
  readonly parity: Parity;
}

/** Where each module is now. Clients ask it at every call, so that what it says can change while they serve. */
export class Directory {
  readonly #modules = new Map<string, Route>();
  readonly #listeners: ((module: string) => void)[] = [];
  /** Upstreams that nothing more is called by, until what was is answered. */
  readonly #retired = new Map<Upstream, Promise<void>>();
  private readonly parts: DirectoryDependencies;

  constructor(parts: DirectoryDependencies) {
    this.parts = parts;
    for (const module of parts.modules) this.#modules.set(module, { state: 'away', transport: unreachable(module) });
  }

  routeTo(module: string): Route {
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
    const upstream = new Upstream(module, discovery, this.parts, () => isPlaced && this.#tell(module));
    isPlaced = true;
    this.#set(module, { state: 'there', transport: upstream, upstream });
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
    const at = this.routeTo(module);
    return at.state === 'there' ? at.upstream.answers(withinMs) : at.state === 'here';
  }

  /** Whether calls reach the module now. */
  async reachable(module: string): Promise<boolean> {
    const at = this.routeTo(module);
    return at.state === 'there' ? at.upstream.reachable() : at.state === 'here';
  }

  /** Has the replicas at `addresses` tried out: the trial decides which calls they get, none to begin with. */
  tryOut(module: string, discovery: Discovery): Trial {
    this.endTrial(module);
    const at = this.routeTo(module);
    const trial = new Trial(at.transport, new Upstream(module, discovery, this.parts, () => {}), this.parts.clock);
    this.#modules.set(module, { ...at, transport: trial, trial });
    return trial;
  }

  /** Calls go where they went before the trial, if there is one. */
  endTrial(module: string): void {
    const { trial, ...at } = this.routeTo(module);
    if (!trial) return;
    this.#modules.set(module, { ...at, transport: trial.way });
    this.#retire(trial.upstream);
  }

  /** Resolves when no call to `module` is in flight by a way that is not taken any more. */
  async drained(module: string): Promise<void> {
    const at = this.routeTo(module);
    const retired = [...this.#retired].flatMap(([upstream, ended]) => (upstream.module === module ? [ended] : []));
    await Promise.all([...retired, ...(at.state === 'there' ? [at.upstream.drained()] : [])]);
  }

  async close(): Promise<void> {
    const upstreams = [...this.#modules.values()].flatMap((at) => (at.state === 'there' ? [at.upstream] : []));
    await Promise.all([...upstreams, ...this.#retired.keys()].map((upstream) => upstream.close()));
  }

  /** The way of a call that has met the faults of its upstream already, where the module is here. */
  #wayTo(module: string): Transport {
    const at = this.routeTo(module);
    return at.state === 'here' ? at.inside : at.transport;
  }

  /** Calls that are in flight by it end there. */
  #retire(upstream: Upstream): void {
    const ended = upstream.retire();
    this.#retired.set(upstream, ended);
    void ended.then(() => this.#retired.delete(upstream));
  }

  #set(module: string, whereabouts: Route): void {
    this.endTrial(module);
    const before = this.#modules.get(module);
    this.#modules.set(module, whereabouts);
    if (before?.state === 'there') this.#retire(before.upstream);
    this.#tell(module);
  }

  #tell(module: string): void {
    for (const listener of this.#listeners) listener(module);
  }
}
