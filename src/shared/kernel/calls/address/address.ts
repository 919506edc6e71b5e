import { StartError } from '../../errors/index.ts';

/** What a module's own address begins with. */
export type Protocol = 'http' | 'https' | 'grpc' | 'grpcs';

/** The largest port there is; 0 is none. */
export const mostPort = 65_535;

export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= mostPort;
}

/**
 * Protocol, host and port of an address such as `http://payments:4105`, in one spelling; `undefined` when it has less or more than
 * these. The port is always written, the one that its protocol has of its own as well.
 */
export function wholeAddress(text: string): string | undefined {
  const [, port = ''] = /^(?:https?|grpcs?):\/\/[^/?#@]+:(\d+)\/?$/.exec(text) ?? [];
  if (!isPort(port) || !URL.canParse(text)) return undefined;
  const { protocol, hostname } = new URL(text);
  return `${protocol}//${hostname.toLowerCase()}:${Number(port)}`;
}

/** What to write for an address, in messages. */
export const addressExample = 'protocol, host and port, such as http://10.0.0.7:4105';

/** The same; throws a `StartError` that says what to write when there is none. */
export function readAddress(text: string): string {
  const address = wholeAddress(text);
  if (address === undefined)
    throw new StartError(`"${withoutSecret(text)}" is not an address; write ${addressExample}`);
  return address;
}

/** For what may be no URL: all that could belong to a user or a password is left out. */
export function withoutSecret(text: string): string {
  return text.replace(/^([a-z+]+:\/*)?.*@/is, '$1');
}

/** What BUS says, or the address of a process or a broker, as it may be shown: a broker's has no user, password or parameters. */
export function shownAddress(address: string | URL): string {
  const text = String(address);
  if (!URL.canParse(text)) return text;
  const { protocol, host } = new URL(text);
  return wholeAddress(text) ?? `${protocol}//${host}`;
}
