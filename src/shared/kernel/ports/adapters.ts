import { type Link, type OpenSession, QueueTransport, shownAddress, type Way } from '../calls/index.ts';
import { StartError } from '../errors/index.ts';
import type { OpenBus } from '../events/index.ts';
import type { Adapter } from './adapter.ts';

type Part = Exclude<keyof Adapter, 'name' | 'wire' | 'broker'>;

/** The words of an error message for each missing part. */
const offers: Readonly<Record<Part, string>> = {
  openEngine: 'an adapter that opens databases',
  openInternalListener: 'an adapter with an internal listener',
  openCallListener: 'an adapter that listens for calls',
  findByName: 'an adapter that finds instances by name',
  findInFile: 'an adapter that finds instances in a file',
  describe: 'an adapter that describes contracts',
};

/** Finds the adapter of a product that a setting or an address needs. */
export class Adapters {
  private readonly all: readonly Adapter[];

  constructor(all: readonly Adapter[]) {
    this.all = all;
  }

  /** Returns `part` of the first adapter that offers it. Throws a `StartError` that says what `neededBy` needs when none does. */
  find<P extends Part>(part: P, neededBy: string): NonNullable<Adapter[P]> {
    const found = this.all.find((each) => each[part] !== undefined)?.[part];
    if (found === undefined) throw missing(offers[part], neededBy);
    return found;
  }

  /** Returns the function that opens the bus of a broker. Throws a `StartError` when no adapter carries events over its protocol. */
  busOpenerFor(url: URL): OpenBus {
    return this.#brokerAt(url.href, 'events')?.openBus ?? refuse(url.href, 'events');
  }

  /** Returns the function that opens a session for calls over a broker. Throws a `StartError` when no adapter carries calls over its protocol. */
  sessionOpenerFor(address: string): OpenSession {
    return this.#brokerAt(address, 'calls')?.openSession ?? refuse(address, 'calls');
  }

  /** Returns a link to the module at an address. The link connects on first use. */
  connect(way: Way): Link {
    const wire = this.#wireTo(way.address);
    return wire ? wire.connect(way) : new QueueTransport({ ...way, openSession: this.sessionOpenerFor(way.address) });
  }

  /** Throws a `StartError` when no adapter can call a module at this address. */
  refuseUnknown(address: string): void {
    if (!this.#wireTo(address)) this.sessionOpenerFor(address);
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

function missing(what: string, neededBy: string): StartError {
  return new StartError(`${neededBy} needs ${what}, and there is none: add one to "adapters" in src/app.ts`);
}
