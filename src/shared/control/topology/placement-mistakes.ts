import { type Broker, isPort, maxPort, wholeAddress } from '../../kernel/ports/index.ts';
import { type Adapters, wireName } from '../adapter-list/index.ts';
import { maxInstances, vias } from '../admin-contract/index.ts';

/**
 * Explains to an operator why a text is not a placement. The caller has removed user and password from `text`, so that every part of
 * it may be shown; `hadUser` says whether there were any.
 */
export function mistakeIn(text: string, hadUser: boolean, adapters: Adapters): string {
  if (text.trim() === '') return 'nothing is written there';
  if (text.includes(',')) return inList(text, adapters);
  const [word = '', parameters] = text.split('?');
  if (words.includes(word)) return afterWord(word, parameters ?? '');
  const meant = word.trim().toLowerCase();
  if (words.includes(meant)) return `it is written ${meant}, in small letters and without blanks`;
  if (text.startsWith('file:')) return 'the name of the file is missing';
  return inUrl(text, hadUser, adapters);
}

export const instancesRange = `a whole number, 1 to ${maxInstances}`;

export function areInstances(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= maxInstances;
}

const words: readonly string[] = ['in-process', ...vias];

function afterWord(word: string, parameters: string): string {
  if (word === 'in-process') return 'nothing follows in-process: there is one home process';
  return serviceMistake(word, parameters) ?? 'nothing stands behind the question mark';
}

/** Returns the mistake in the parameters after the name of a wire, or after `queue`, if any. */
export function serviceMistake(word: string, parameters: string): string | undefined {
  const given = new URLSearchParams(parameters);
  const unknown = [...given.keys()].find((name) => !parametersKnown.includes(name));
  if (unknown !== undefined) return `"${unknown}" is unknown; known are ${parametersKnown.join(', ')}`;
  const twice = parametersKnown.find((name) => given.getAll(name).length > 1);
  if (twice) return `${twice} is said more than once`;
  const [instances, port] = [given.get('instances'), given.get('port')];
  if (instances !== null && !(/^\d+$/.test(instances) && areInstances(Number(instances))))
    return `instances is ${instancesRange}, as in ${word}?instances=3`;
  if (given.get('artifact') === '') return 'artifact names no file';
  if (given.get('artifact')?.includes('\0')) return 'artifact is no path: it has a NUL character';
  if (port === null) return undefined;
  if (!isPort(port)) return `port is 1 to ${maxPort}, as in ${word}?port=4105`;
  if (word === 'queue') return 'a module that is reached over a broker listens on no port of its own';
  return Number(instances ?? 1) === 1 ? undefined : 'one port is for one process: leave out port, or instances';
}

const parametersKnown = ['instances', 'port', 'artifact'];

function inList(text: string, adapters: Adapters): string {
  const items = text.split(',').map((each) => each.trim());
  if (items.some((item) => item === '')) return 'an address is missing beside a comma';
  if (items.some((item) => words.includes(item)))
    return 'a list holds addresses only; several processes that the home process starts are http?instances=3';
  if (items.some((item) => adapters.carriesCalls(item))) return 'a module takes its calls from one broker';
  if (items.some((item) => item.startsWith('file:') || /^[a-z]+\+(dns|srv):/.test(item)))
    return 'a list holds addresses only; a name, or a file, stands alone';
  for (const item of items) {
    const isAddress = wholeAddress(item) !== undefined && adapters.wireNameOf(item) !== undefined;
    if (!isAddress) return `of ${item}: ${inUrl(item, false, adapters)}`;
  }
  const used = new Set(items.map((item) => adapters.wireNameOf(item)));
  const names = adapters.wires.map(wireName).filter((name) => used.has(name));
  return `the addresses are by ${names.join(' and by ')}, and a module is called by one of them`;
}

function inUrl(text: string, hadUser: boolean, adapters: Adapters): string {
  const [, scheme, rest = ''] = /^([^:/?#]+):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === undefined) {
    if (/^[^:/?#]+:\d+\/?$/.test(text))
      return `the protocol is missing: ${adapters.wires.map((wire) => `${wireName(wire)}://${text}`).join(', or ')}`;
    return /^[a-z+]+:/.test(text)
      ? 'two slashes follow the protocol and its colon'
      : 'there is no such kind of placement';
  }
  const broker = adapters.brokers.find(({ protocols }) => protocols.includes(`${scheme}:`));
  if (broker?.openSession) return inBroker(text, hadUser, broker, adapters);
  if (broker) return `${scheme}:// carries events and no calls: it belongs into BUS`;
  const [, protocol, record] = /^(.+?)(?:\+(dns|srv))?$/.exec(scheme) ?? [];
  if (!adapters.wireNameOf(`${protocol}:`))
    return `"${scheme}" is not a protocol that a module is called by; there are ${adapters.callProtocols.map((each) => each.slice(0, -1)).join(', ')}; for another, add its adapter to "adapters" in src/app.ts`;
  if (hadUser) return 'there is no user and no password in an address: processes know each other by their keys';
  const [, host = '', beyond = ''] = /^([^/?#]*)\/?(.*)$/.exec(rest) ?? [];
  if (record) return inName(scheme, host, beyond);
  if (beyond) return `an address ends with its port: leave out what follows ${scheme}://${host}`;
  return inHost(scheme, host) ?? 'its host cannot be read';
}

function inName(scheme: string, host: string, beyond: string): string {
  const parameters = new URLSearchParams(beyond);
  const unknown = [...parameters.keys()].find((name) => name !== 'server');
  if (!beyond.startsWith('?') && beyond) return `only ?server= may follow ${scheme}://${host}`;
  if (unknown !== undefined) return `"${unknown}" is unknown; known is server, as in ?server=127.0.0.1:8600`;
  if (scheme.endsWith('srv') && host.includes(':')) return 'an SRV record says the port itself: leave it out';
  const mistake = scheme.endsWith('dns') ? inHost(scheme, host) : undefined;
  if (mistake) return mistake;
  return parameters.has('server')
    ? 'the server is an IP address, with its port if need be, as in ?server=127.0.0.1:8600'
    : 'its name cannot be read';
}

function inHost(scheme: string, host: string): string | undefined {
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(host) ?? [];
  if (name === '') return `the host is missing, as in ${scheme}://payments:4105`;
  if (!port) return `the port is missing: write it, such as ${scheme}://${name}:4105`;
  return isPort(port) ? undefined : `its port is a whole number, 1 to ${maxPort}`;
}

function inBroker(text: string, hadUser: boolean, { example, parameters = {} }: Broker, adapters: Adapters): string {
  if (adapters.isBrokerUrl(text) && hadUser) return 'user and password must be percent-encoded';
  const [broker = '', given = ''] = text.split('?');
  if (!adapters.isBrokerUrl(broker)) return `a broker has one host, as in ${example}`;
  const wrong = given.split('&').find((each) => !adapters.isBrokerUrl(`${broker}?${each}`));
  const others = Object.keys(parameters).map((name) => `, and ${name}`);
  return `"${wrong}" is unknown; known is namespace, of letters, digits and -, as in ?namespace=shop${others.join('')}`;
}
