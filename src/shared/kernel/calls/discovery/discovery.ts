import type { Protocol } from '../address/address.ts';

export type Listener = (addresses: readonly string[]) => void;

/**
 * Where the instances of a module are, as something outside of this process knows it. Whoever calls them decides which
 * one to call and when one has failed; a discovery only says which there are. It keeps no process alive.
 */
export interface Discovery {
  /**
   * Tells `listener` the addresses there are, such as `http://10.0.0.7:4105`, sorted and without doubles: as soon as they
   * are known, which may be before this returns, and again whenever they change, until `stop`. What is outside may be
   * away or wrong for a while; the addresses known before are then kept. Called once.
   */
  watch(listener: Listener): void;
  /** Nobody answers at this address: it need not be believed any longer; look again now, not when its time is over. */
  dead(address: string): void;
  /** Nothing is told any more, and no timer, watcher or socket is left. */
  stop(): void;
}

/** What a listener was told last, so that it is told only what is new, in order and without doubles. */
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

  /** For who has found none yet and may have told some before: says so once, and takes nothing back. */
  tellNoneYet(): void {
    if (!this.#last) this.tell([]);
  }
}

/**
 * A name in DNS, written out whole: neither the search domains of the machine nor its hosts file are looked at. By `a`,
 * its A and AAAA records are instances at `port`; by `srv`, its SRV records say host, port and priority.
 */
export type DnsName = { readonly protocol: Protocol; readonly name: string } & (
  | { readonly kind: 'a'; readonly port: number }
  | { readonly kind: 'srv' }
);
