export type Listener = (addresses: readonly string[]) => void;

/**
 * Reports the addresses of a module's instances, from a source outside this process. The caller of the instances chooses one and
 * decides when it has failed; a discovery only lists them. It keeps no process alive.
 */
export interface Discovery {
  /**
   * Calls `listener` with the addresses, such as `http://10.0.0.7:4105`, sorted and without duplicates. Calls it as soon as they
   * are known, possibly before `watch` returns, and after every change until `stop`. While the source is away or wrong, the known
   * addresses stay. Call `watch` once.
   */
  watch(listener: Listener): void;
  /** Reports that no instance answers at this address. The discovery may drop it, and asks its source again before its TTL ends. */
  dead(address: string): void;
  /** Stops calling the listener, and closes every timer, watcher and socket. */
  stop(): void;
}

/** Remembers the last addresses of a listener. Calls the listener only after a change, with sorted addresses without duplicates. */
export class LastAddresses {
  #last: readonly string[] | undefined;
  private readonly listener: Listener;

  constructor(listener: Listener) {
    this.listener = listener;
  }

  tell(addresses: Iterable<string>): void {
    const next = [...new Set(addresses)].sort();
    const last = this.#last;
    if (last?.length === next.length && last.every((address, at) => address === next[at])) return;
    this.#last = next;
    this.listener(next);
  }

  /** Reports an empty list when the listener has heard nothing yet. Never withdraws addresses that it has heard. */
  tellNoneYet(): void {
    if (!this.#last) this.tell([]);
  }
}

/**
 * A fully qualified DNS name. The lookup ignores the machine's search domains and hosts file. With `a`, the A and AAAA records are
 * instances at `port`. With `srv`, the SRV records contain host, port and priority.
 */
export type DnsName = { readonly protocol: string; readonly name: string } & (
  | { readonly kind: 'a'; readonly port: number }
  | { readonly kind: 'srv' }
);
