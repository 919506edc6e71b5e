import { callOver, type Link, type OpenSession, shownAddress, type Way } from '../calls/index.ts';
import { StartError } from '../errors/index.ts';
import type { OpenBroker } from '../events/index.ts';
import type { Adapter } from './adapter.ts';

type Part = Exclude<keyof Adapter, 'name' | 'wire' | 'broker'>;

/** Finds the adapter of a product that a setting or an address needs. */
export class Adapters {
  private readonly all: readonly Adapter[];

  constructor(all: readonly Adapter[]) {
    this.all = all;
  }

  /** Returns `part` of the first adapter that offers it. When none does, throws a `StartError` that names `user`, which needs it. */
  find<P extends Part>(part: P, user: string): NonNullable<Adapter[P]> {
    const found = this.all.find((each) => each[part] !== undefined)?.[part];
    if (found === undefined) throw missing(`an adapter that offers ${part}`, user);
    return found;
  }

  /** Opens the bus of a broker. Throws a `StartError` when no adapter carries events over its protocol. */
  busOf(url: URL): OpenBroker {
    return this.#brokerAt(url.href, 'events')?.openBus ?? refuse(url.href, 'events');
  }

  /** Opens sessions for calls over a broker. Throws a `StartError` when no adapter carries calls over its protocol. */
  sessionOf(address: string): OpenSession {
    return this.#brokerAt(address, 'calls')?.openSession ?? refuse(address, 'calls');
  }

  /** Returns a link to the module at an address. The link connects on first use. */
  connect(way: Way): Link {
    const wire = this.#wireTo(way.address);
    return wire ? wire.connect(way) : callOver(this.sessionOf(way.address), way);
  }

  /** Throws a `StartError` when no adapter can call a module at this address. */
  refuseUnknown(address: string): void {
    if (!this.#wireTo(address)) this.sessionOf(address);
  }

  #wireTo(address: string) {
    return this.all.find(({ wire }) => wire?.protocols.includes(protocolOf(address)))?.wire;
  }

  #brokerAt(address: string, what: 'events' | 'calls') {
    const part = what === 'events' ? 'openBus' : 'openSession';
    const serves = ({ broker }: Adapter) => broker?.[part] && broker.protocols.includes(protocolOf(address));
    return this.all.find(serves)?.broker;
  }
}

function protocolOf(address: string): string {
  return `${address.split(':', 1)[0]}:`;
}

function refuse(address: string, what: string): never {
  throw missing(`an adapter that carries ${what} over ${protocolOf(address)}//`, shownAddress(address));
}

function missing(what: string, user: string): StartError {
  return new StartError(`${user} needs ${what}, and src/app.ts lists none: add it to "adapters"`);
}
