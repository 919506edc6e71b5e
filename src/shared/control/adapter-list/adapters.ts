import type { Link } from '../../kernel/calls/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import type { Adapter, Broker, LogExporterPort, OpenBus, SpanExporterPort, Wire } from '../../kernel/ports/index.ts';
import { isBrokerUrl, type OpenSession, shownAddress, type Way } from '../../kernel/ports/index.ts';
import { QueueTransport } from '../queue/index.ts';

type Part = Exclude<keyof Adapter, 'name' | 'wire' | 'broker'>;

/** The words of an error message for each missing part. */
const offers: Readonly<Record<Part, string>> = {
  openEngine: 'an adapter that opens databases',
  openInternalListener: 'an adapter with an internal listener',
  findByName: 'an adapter that finds instances by name',
  findInFile: 'an adapter that finds instances in a file',
  describe: 'an adapter that describes contracts',
  spanExporter: 'an adapter that exports spans',
  logExporter: 'an adapter that exports log lines',
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

  /** The wires, in the order of their adapters. */
  get wires(): readonly Wire[] {
    return this.all.flatMap(({ wire }) => wire ?? []);
  }

  /** Returns the wire of this name. Throws a `StartError` that says what `neededBy` needs when there is none. */
  wireNamed(name: string, neededBy: string): Wire {
    const found = this.wires.find((wire) => wireName(wire) === name);
    if (!found) throw missing('an adapter that listens for calls', neededBy);
    return found;
  }

  /** Returns the name of the wire to an address, such as `grpc` for `grpcs://payments:4105`; `undefined` when there is none. */
  wireNameOf(address: string): string | undefined {
    const wire = this.#wireTo(address);
    return wire && wireName(wire);
  }

  /** The brokers, in the order of their adapters. */
  get brokers(): readonly Broker[] {
    return this.all.flatMap(({ broker }) => broker ?? []);
  }

  /** The protocols of addresses that carry calls, such as `grpc:` and `amqp:`. */
  get callProtocols(): readonly string[] {
    const ofBrokers = this.brokers.flatMap(({ protocols, openSession }) => (openSession ? protocols : []));
    return [...this.wires.flatMap(({ protocols }) => protocols), ...ofBrokers];
  }

  /** The broker URLs that carry calls, for messages to operators: `amqp://… or nats://…`. */
  get brokersForCalls(): string {
    const found = this.brokers.filter(({ openSession }) => openSession).map(({ protocols }) => `${protocols[0]}//…`);
    return found.join(' or ') || 'a broker that carries calls (add its adapter to "adapters" in src/app.ts)';
  }

  /** Returns whether the text has the form of a broker's URL. When an adapter knows its protocol, its parameters have their form too. */
  isBrokerUrl(text: string): boolean {
    return isBrokerUrl(text, this.#brokerAt(text)?.parameters);
  }

  /** Returns whether the address belongs to a broker that carries calls. */
  carriesCalls(address: string): boolean {
    return this.#brokerAt(address)?.openSession !== undefined;
  }

  /** Returns the function that opens the bus of a broker. Throws a `StartError` when no adapter carries events over its protocol. */
  busOpenerFor(url: URL): OpenBus {
    return this.#brokerAt(url.href)?.events?.openBus ?? refuse(url.href, 'events', this.#eventProtocols);
  }

  /** Returns the function that opens a session for calls over a broker. Throws a `StartError` when no adapter carries calls over its protocol. */
  sessionOpenerFor(address: string): OpenSession {
    return this.#brokerAt(address)?.openSession ?? refuse(address, 'calls', this.callProtocols);
  }

  /**
   * Returns the exporters that `OTEL_TRACES_EXPORTER` names. Without that setting, returns those that another variable asks for. Throws a
   * `StartError` for a name that no adapter has.
   */
  spanExporters(
    named: string | undefined,
    env: Readonly<Record<string, string | undefined>>,
  ): readonly SpanExporterPort[] {
    const offered = this.all.flatMap(({ spanExporter }) => spanExporter ?? []);
    if (!named) return offered.filter(({ askedForBy }) => askedForBy.some((variable) => env[variable]));
    return exportersNamed(named, offered, 'OTEL_TRACES_EXPORTER', offers.spanExporter);
  }

  /** Returns the exporters that `OTEL_LOGS_EXPORTER` names. Throws a `StartError` for a name that no adapter has. */
  logExporters(named = ''): readonly LogExporterPort[] {
    const offered = this.all.flatMap(({ logExporter }) => logExporter ?? []);
    return exportersNamed(named, offered, 'OTEL_LOGS_EXPORTER', offers.logExporter);
  }

  /** Returns a link to the module at an address. The link connects on first use. */
  connect(way: Way): Link {
    const wire = this.#wireTo(way.address);
    return wire ? wire.connect(way) : new QueueTransport({ ...way, openSession: this.sessionOpenerFor(way.address) });
  }

  #wireTo(address: string): Wire | undefined {
    return this.wires.find(({ protocols }) => protocols.includes(protocolOf(address)));
  }

  get #eventProtocols(): readonly string[] {
    return this.brokers.flatMap(({ protocols, events }) => (events ? protocols : []));
  }

  #brokerAt(address: string): Broker | undefined {
    return this.brokers.find(({ protocols }) => protocols.includes(protocolOf(address)));
  }
}

/** Returns the name of a wire in placements. */
export function wireName({ protocols: [plain] }: Wire): string {
  return plain.slice(0, -1);
}

/** Returns the exporters of these names, separated by commas. Throws a `StartError` for a name that no adapter has. */
function exportersNamed<T extends { readonly name: string }>(
  named: string,
  offered: readonly T[],
  setting: string,
  what: string,
): readonly T[] {
  const names = named.split(',').map((name) => name.trim());
  return names.flatMap((name) => {
    if (name === '' || name === 'none') return [];
    const found = offered.find((each) => each.name === name);
    if (found) return [found];
    throw missing(`${what} by "${name}"`, setting);
  });
}

function protocolOf(address: string): string {
  return `${address.split(':', 1)[0]}:`;
}

function refuse(address: string, what: string, others: readonly string[]): never {
  throw missing(`an adapter that carries ${what} over ${protocolOf(address)}//`, shownAddress(address), others);
}

function missing(what: string, neededBy: string, others: readonly string[] = []): StartError {
  const choice = others.length > 0 ? `, or choose ${others.map((each) => `${each}//`).join(', ')}` : '';
  return new StartError(`${neededBy} needs ${what}, and there is none: add one to "adapters" in src/app.ts${choice}`);
}
