import type { CallRequest, Dispatch, Transport } from '../../kernel/calls/index.ts';
import {
  type CallCounter,
  composeSteps,
  InProcessTransport,
  type Parity,
  Unreachable,
} from '../../kernel/calls/index.ts';
import type { Discovery } from '../../kernel/ports/index.ts';
import { Probe } from './probe.ts';
import { outgoingRoad } from './road.ts';
import { countSent, Upstream, type UpstreamDependencies } from './upstream.ts';

/** Decides for each call of a module whether other replicas serve it. The rest goes to `way`, by default the route that the detour replaced. */
export interface Detour extends Transport {
  call(request: CallRequest, way?: Transport): Promise<unknown>;
}

/** What the end of a detour restores, and what it retires. */
interface OpenDetour {
  readonly before: Transport;
  readonly upstream: Upstream;
}

/** The route to a module, as this process sees it. */
export type Route = {
  readonly transport: Transport;
  /** The detour that `transport` takes for some of the calls. */
  readonly detour?: Detour;
} & (
  | { readonly state: 'here'; readonly inside: Transport }
  | { readonly state: 'there'; readonly upstream: Upstream }
  | { readonly state: 'away' }
);

export interface DirectoryDependencies extends UpstreamDependencies {
  readonly modules: readonly string[];
  readonly parity: Parity;
}

/** Knows the current route to each module. Clients ask it at every call, so that a route can change at any time. */
export class Directory {
  readonly #modules = new Map<string, Route>();
  readonly #detours = new Map<string, OpenDetour>();
  readonly #listeners: ((module: string) => void)[] = [];
  /** Upstreams that receive no new calls. Each stays here until its calls in flight are answered. */
  readonly #retired = new Map<Upstream, Promise<void>>();
  private readonly parts: DirectoryDependencies;

  constructor(parts: DirectoryDependencies) {
    this.parts = parts;
    for (const module of parts.modules) {
      const transport = unreachable(module, parts.hooks?.counter);
      this.#modules.set(module, { state: 'away', transport });
    }
  }

  routeTo(module: string): Route {
    const known = this.#modules.get(module);
    if (!known) throw new Error(`there is no module "${module}"`);
    return known;
  }

  here(module: string, dispatch: Dispatch): void {
    const { parity, hooks = {} } = this.parts;
    const inside = new InProcessTransport(dispatch, parity);
    // The module may have moved during an injected delay, so the route is asked again.
    const withFaults = { call: composeSteps(outgoingRoad.link, hooks, (request) => this.#wayTo(module).call(request)) };
    const transport = parity === 'strict' ? withFaults : inside;
    this.#set(module, { state: 'here', transport, inside });
  }

  /** Routes the module to the addresses of `discovery`. While there is no address, calls are refused at once and events wait. */
  there(module: string, discovery: Discovery): void {
    let isPlaced = false;
    const upstream = new Upstream(module, discovery, this.parts, () => isPlaced && this.#tell(module));
    isPlaced = true;
    this.#set(module, { state: 'there', transport: upstream, upstream });
  }

  /** Returns a probe that checks whether the process at `address` serves the module. No other call goes there. Close the probe. */
  probe(module: string, address: string): Probe {
    const { connect, clock } = this.parts;
    const link = connect(module, address, () => {});
    return new Probe(module, link, clock);
  }

  /** Calls `listener` whenever a module becomes reachable, or reachable at another place. */
  onReachable(listener: (module: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves with whether this process or any other instance serves the module now. Waits for half a second, or `withinMs`. */
  async answers(module: string, withinMs?: number): Promise<boolean> {
    const at = this.routeTo(module);
    return at.state === 'there' ? at.upstream.answers(withinMs) : at.state === 'here';
  }

  /** Resolves with whether calls reach the module now. */
  async reachable(module: string): Promise<boolean> {
    const at = this.routeTo(module);
    return at.state === 'there' ? at.upstream.reachable() : at.state === 'here';
  }

  /** Lets `make` create a detour to the replicas that `discovery` lists. It gets the route before it, and the upstream of those replicas. */
  divert<D extends Detour>(
    module: string,
    discovery: Discovery,
    make: (before: Transport, upstream: Upstream) => D,
  ): D {
    this.endDetour(module);
    const at = this.routeTo(module);
    const upstream = new Upstream(module, discovery, this.parts, () => {});
    const detour = make(at.transport, upstream);
    this.#detours.set(module, { before: at.transport, upstream });
    this.#modules.set(module, { ...at, transport: detour, detour });
    return detour;
  }

  /** Ends the detour, if there is one. All calls go where they went before it. */
  endDetour(module: string): void {
    const open = this.#detours.get(module);
    if (!open) return;
    const { detour: _, ...at } = this.routeTo(module);
    this.#detours.delete(module);
    this.#modules.set(module, { ...at, transport: open.before });
    this.#retire(open.upstream);
  }

  /** Resolves when no call to `module` is in flight on an abandoned route. */
  async drained(module: string): Promise<void> {
    const at = this.routeTo(module);
    const retired = [...this.#retired].flatMap(([upstream, ended]) => (upstream.module === module ? [ended] : []));
    await Promise.all([...retired, ...(at.state === 'there' ? [at.upstream.drained()] : [])]);
  }

  async close(): Promise<void> {
    const upstreams = [...this.#modules.values()].flatMap((at) => (at.state === 'there' ? [at.upstream] : []));
    await Promise.all([...upstreams, ...this.#retired.keys()].map((upstream) => upstream.close()));
  }

  /** Returns the transport to the module. When the module is here, it skips injected faults: the call has met them already. */
  #wayTo(module: string): Transport {
    const at = this.routeTo(module);
    return at.state === 'here' ? at.inside : at.transport;
  }

  /** Retires an upstream. Its calls in flight end there. */
  #retire(upstream: Upstream): void {
    const ended = upstream.retire();
    this.#retired.set(upstream, ended);
    void ended.then(() => this.#retired.delete(upstream));
  }

  #set(module: string, route: Route): void {
    this.endDetour(module);
    const before = this.#modules.get(module);
    this.#modules.set(module, route);
    if (before?.state === 'there') this.#retire(before.upstream);
    this.#tell(module);
  }

  #tell(module: string): void {
    for (const listener of this.#listeners) listener(module);
  }
}

/** Returns the transport of a module that cannot be reached now. It refuses every call at once. */
function unreachable(module: string, counter?: CallCounter): Transport {
  return {
    call(request) {
      const answer = Promise.reject(new Unreachable(module));
      countSent(counter, request, undefined, answer);
      return answer;
    },
  };
}
