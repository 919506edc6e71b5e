import { BlockList, isIP } from 'node:net';

/** The proxies that may state a client's address. */
export interface TrustedProxies {
  /** Tells whether to trust `address` about its own peer. `hop` is 0 for the peer of this process, 1 for the peer before it. */
  trusts(address: string, hop: number): boolean;
}

export interface ForwardingHeaders {
  readonly forwarded?: string;
  readonly xForwardedFor?: string;
}

const maxHops = 32;

/** Reads addresses and CIDR blocks, separated by commas, or a number of hops. Returns `undefined` for anything else. */
export function readTrustedProxies(text: string): TrustedProxies | undefined {
  if (/^\d+$/.test(text)) {
    const hops = Number(text);
    return hops <= maxHops ? { trusts: (_, hop) => hop < hops } : undefined;
  }
  const blocks = new BlockList();
  for (const entry of text.split(',')) {
    if (!addBlock(blocks, entry.trim())) return undefined;
  }
  return { trusts: (address) => blocks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') };
}

export const noProxies: TrustedProxies = { trusts: () => false };

/** Prefix lengths of the widest private networks: 10.0.0.0/8 and fc00::/7. A wider block would trust public addresses. */
const leastBits = { ipv4: 8, ipv6: 7 };

function addBlock(blocks: BlockList, entry: string): boolean {
  const [, host = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const address = readHost(host);
  if (!address) return false;
  const six = isIP(address) === 6;
  const mapped = !six && host.includes(':');
  const bits = length === undefined ? (six ? 128 : 32) : Number(length) - (mapped ? 96 : 0);
  const family = six ? 'ipv6' : 'ipv4';
  if (bits < leastBits[family] || bits > (six ? 128 : 32)) return false;
  // A block such as ::/8 contains all of IPv4, as ::ffff:0:0/96.
  const alone = new BlockList();
  alone.addSubnet(address, bits, family);
  if (six && alone.check('192.0.2.1', 'ipv4')) return false;
  blocks.addSubnet(address, bits, family);
  return true;
}

/**
 * Returns the address of the client. Reads `Forwarded` or `X-Forwarded-For` from the right, each entry only while the proxy that
 * wrote it is trusted. Stops at an entry that is no address (`unknown`, `_hidden`, garbage). Ignores both headers when they lead
 * to different clients: an untrusted client may have written one of them.
 */
export function clientAddress(peer: string | undefined, headers: ForwardingHeaders, proxies: TrustedProxies): string {
  const nearest = readHost(peer ?? '') ?? 'unknown';
  const { forwarded, xForwardedFor } = headers;
  const clients = [
    forwarded !== undefined && follow(nearest, forwardedFromRight(forwarded), proxies),
    xForwardedFor !== undefined && follow(nearest, xForwardedFor.split(',').reverse(), proxies),
  ].filter((each) => each !== false);
  const [first = nearest] = clients;
  return clients.every((each) => each === first) ? first : nearest;
}

/** Returns whether the peer of a connection is a trusted proxy. */
export function peerIsTrusted(peer: string | undefined, proxies: TrustedProxies): boolean {
  return proxies.trusts(readHost(peer ?? '') ?? 'unknown', 0);
}

function follow(nearest: string, entriesFromRight: Iterable<string>, proxies: TrustedProxies): string {
  let address = nearest;
  let hop = 0;
  for (const entry of entriesFromRight) {
    if (!proxies.trusts(address, hop)) break;
    const before = readNode(entry);
    if (!before) break;
    address = before;
    hop += 1;
  }
  return address;
}

/** Yields the `for` of each element, from the last to the first. Yields an empty text for an element without one. */
function* forwardedFromRight(header: string): Generator<string> {
  let end = header.length;
  while (end >= 0) {
    const start = elementStart(header, end);
    yield forOf(header.slice(start, end));
    end = start - 1;
  }
}

/** Finds the comma before an element, from the right: a quote that an untrusted client wrote further left cannot hide it. */
function elementStart(header: string, end: number): number {
  let quoted = false;
  for (let at = end - 1; at >= 0; at--) {
    if (header[at] === '"' && !(quoted && header[at - 1] === '\\')) quoted = !quoted;
    else if (header[at] === ',' && !quoted) return at + 1;
  }
  return 0;
}

const parameter = /\s*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*(?:;|$)/y;

/**
 * Returns the `for` of an element. Returns an empty text when the element has none, has two, or is malformed: another parameter
 * may contain text of the client.
 */
function forOf(element: string): string {
  const found: string[] = [];
  parameter.lastIndex = 0;
  while (parameter.lastIndex < element.length) {
    const [, name, quoted, plain] = parameter.exec(element) ?? [];
    if (name === undefined) return '';
    if (name.toLowerCase() === 'for') found.push(quoted ?? plain ?? '');
  }
  return found.length === 1 ? found[0]! : '';
}

/** Reads an address with or without a port, in the notation of the headers: `1.2.3.4:56`, `[::1]:56`, `::1`. */
function readNode(text: string): string | undefined {
  const node = text.trim();
  const [, bracketed, four] = /^(?:\[([^\]]*)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/.exec(node) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? readHost(bracketed) : undefined;
  return readHost(four ?? node);
}

/** Normalizes an address: IPv4 for an IPv4-mapped IPv6 address, otherwise the shortest spelling, without a zone. */
function readHost(text: string): string | undefined {
  const address = text.replace(/%.*$/, '');
  const version = isIP(address);
  if (version !== 6) return version === 4 ? address : undefined;
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return new URL(`http://[${address}]`).hostname.slice(1, -1);
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** Returns the eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const hexadecimal = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = hexadecimal.split('::');
  const read = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [left, right] = [read(head), read(tail ?? '')];
  return [...left, ...Array(8 - left.length - right.length).fill(0), ...right];
}

/** Returns the key by which limits count a client: an IPv4 address, or the /64 network that one IPv6 client owns. */
export function clientNetwork(address: string): string {
  if (isIP(address) !== 6) return address;
  const network = groupsOf(address)
    .slice(0, 4)
    .map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}
