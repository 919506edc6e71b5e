import { StartError } from '../../kernel/errors/index.ts';
import { type DnsName, wholeAddress, withoutSecret } from '../../kernel/ports/index.ts';
import { type Adapters, wireName } from '../adapter-list/index.ts';
import { isVia, type Via } from '../admin-contract/index.ts';
import { mistakeIn, serviceMistake } from './placement-mistakes.ts';

/** Module processes, which the home process starts. */
export interface ServicePlacement {
  readonly kind: 'service';
  readonly via: Via;
  readonly instances: number;
  /** The port of the only instance; a free port when absent. */
  readonly port?: number | undefined;
  /** The entry file of another release than the home process's own. */
  readonly artifact?: string | undefined;
}

/**
 * Where a module runs and how callers reach it: in the home process; in module processes that the home process starts and watches; at
 * addresses where somebody else runs it; at the addresses in DNS or in a file; or behind a broker.
 */
export type Placement =
  | { readonly kind: 'in-process' }
  | ServicePlacement
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'name'; readonly dns: DnsName; readonly server: string | undefined }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'broker'; readonly url: string };

/** The wire of the internal listener, which every process has. */
const internalWire = 'http';

/** Reads a placement as `topology.yaml` and `MODULE_<NAME>` write it. Throws a `StartError` that names `where`. */
export function parsePlacement(text: string, where: string, adapters: Adapters): Placement {
  const placement = readPlacement(text, adapters);
  if (typeof placement === 'string') throw new StartError(`${where}: ${placement}`);
  return placement;
}

/** Returns the placement that `text` describes, or a message about its mistake. */
export function readPlacement(text: string, adapters: Adapters): Placement | string {
  if (text === 'in-process') return { kind: 'in-process' };
  const placement =
    service(text) ?? file(text) ?? broker(text, adapters) ?? name(text, adapters) ?? addresses(text, adapters);
  if (placement) return placement;
  const shown = withoutSecret(text);
  const mistake = mistakeIn(shown, shown !== text, adapters);
  return `"${shown}" is not a placement: ${mistake}; write such as ${examplesFor(adapters)} (docs/placements.md)`;
}

function service(text: string): Placement | undefined {
  const [, via, parameters = ''] = /^(\w+)(?:\?(.+))?$/.exec(text) ?? [];
  if (!isVia(via) || serviceMistake(via, parameters)) return undefined;
  const { instances = 1, port, artifact } = Object.fromEntries(new URLSearchParams(parameters)) as Written;
  const optional = { ...(port && { port: Number(port) }), ...(artifact && { artifact }) };
  return { kind: 'service', via, instances: Number(instances), ...optional };
}

type Written = { readonly instances?: string; readonly port?: string; readonly artifact?: string };

function file(text: string): Placement | undefined {
  return text.startsWith('file:') && text.length > 5 ? { kind: 'file', file: text.slice(5) } : undefined;
}

function examplesFor({ wires, brokers }: Adapters): string {
  const names = wires.map(wireName);
  const wire = names.at(-1) ?? internalWire;
  const broker = brokers.find(({ openSession }) => openSession);
  return [
    ...['in-process', ...names.filter(isVia), 'queue', 'http?instances=3', 'http://payments:4105'],
    ...[`${wire}://10.0.0.7:4105,${wire}://10.0.0.8:4105`, 'http+dns://payments:4105', 'file:payments.addresses'],
    ...(broker ? [`${broker.protocols[0]}//broker`] : []),
  ].join(', ');
}

function broker(text: string, adapters: Adapters): Placement | undefined {
  return adapters.carriesCalls(text) && adapters.isBrokerUrl(text) ? { kind: 'broker', url: text } : undefined;
}

function name(text: string, adapters: Adapters): Placement | undefined {
  const [, scheme, record] = /^([^:/+]+)\+(dns|srv):\/\//.exec(text) ?? [];
  if (!scheme || !adapters.wireNameOf(`${scheme}:`) || !URL.canParse(text)) return undefined;
  const { hostname, port, pathname, hash, searchParams, username, password } = new URL(text);
  const server = searchParams.get('server') ?? undefined;
  const onlyServer =
    server === undefined ? searchParams.size === 0 : searchParams.size === 1 && /^[\da-f.:[\]]+$/i.test(server);
  const beyond = pathname.replace('/', '') + hash + username + password;
  if (hostname === '' || beyond !== '' || !onlyServer || (record === 'dns') !== (port !== '')) return undefined;
  const named = { protocol: scheme, name: hostname };
  const dns: DnsName = record === 'dns' ? { ...named, kind: 'a', port: Number(port) } : { ...named, kind: 'srv' };
  return { kind: 'name', dns, server };
}

function addresses(text: string, adapters: Adapters): Placement | undefined {
  const each = text.split(',').map((address) => wholeAddress(address.trim()));
  const found = each.filter((address) => address !== undefined);
  const [wire, ...others] = new Set(found.map((address) => adapters.wireNameOf(address)));
  if (found.length < each.length || wire === undefined || others.length > 0) return undefined;
  return { kind: 'addresses', addresses: [...new Set(found)] };
}

/** Returns the transport by which other processes call the module's operations: the name of a wire, or `queue`. */
export function transportOf(placement: Placement, adapters: Adapters): string {
  switch (placement.kind) {
    case 'service':
      return placement.via;
    case 'broker':
      return 'queue';
    case 'addresses':
      return adapters.wireNameOf(placement.addresses[0]!) ?? internalWire;
    case 'name':
      return adapters.wireNameOf(`${placement.dns.protocol}:`) ?? internalWire;
    case 'in-process':
    case 'file':
      return internalWire;
  }
}

export function placementText(placement: Placement): string {
  switch (placement.kind) {
    case 'in-process':
      return 'in-process';
    case 'service':
      return serviceText(placement);
    case 'addresses':
      return placement.addresses.join(',');
    case 'file':
      return `file:${placement.file}`;
    case 'broker':
      return withoutUser(placement.url);
    case 'name': {
      const { dns, server } = placement;
      const at = dns.kind === 'a' ? `dns://${dns.name}:${dns.port}` : `srv://${dns.name}`;
      return `${dns.protocol}+${at}${server === undefined ? '' : `?server=${server}`}`;
    }
  }
}

function serviceText({ via, instances, port, artifact }: ServicePlacement): string {
  const parameters = [
    ...(instances === 1 ? [] : [`instances=${instances}`]),
    ...(port === undefined ? [] : [`port=${port}`]),
    // The path stays readable: only characters that would change its meaning are encoded.
    ...(artifact === undefined ? [] : [`artifact=${artifact.replace(/[%&+#]/g, encodeURIComponent)}`]),
  ];
  return parameters.length === 0 ? via : `${via}?${parameters.join('&')}`;
}

function withoutUser(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}
