import { StartError } from '../errors/index.ts';

/** The largest port number. The smallest is 1. */
export const maxPort = 65_535;

export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= maxPort;
}

/**
 * Returns protocol, host and port of an address such as `http://payments:4105`, in one spelling. Returns `undefined` when the
 * address lacks one of these parts or has other parts. The result always has a port, also the default port of its protocol. Any protocol in
 * small letters will do: the adapters of a product say which ones carry calls.
 */
export function wholeAddress(text: string): string | undefined {
  const [, port = ''] = /^[a-z][a-z\d.-]*:\/\/[^/?#@]+:(\d+)\/?$/.exec(text) ?? [];
  if (!isPort(port) || !URL.canParse(text)) return undefined;
  const { protocol, hostname } = new URL(text);
  return `${protocol}//${hostname.toLowerCase()}:${Number(port)}`;
}

/** Describes a valid address in error messages. */
export const addressExample = 'protocol, host and port, such as http://10.0.0.7:4105';

/** Returns the same as `wholeAddress`, but throws a `StartError` with an example when the text is not a valid address. */
export function readAddress(text: string): string {
  const address = wholeAddress(text);
  if (address === undefined)
    throw new StartError(`"${withoutSecret(text)}" is not an address; write ${addressExample}`);
  return address;
}

/** Removes everything that may belong to a user or a password. The text need not be a valid URL. */
export function withoutSecret(text: string): string {
  return text.replace(/^([a-z+]+:\/*)?.*@/is, '$1');
}

/** Returns the value of BUS, or an address, in a form that is safe to show. Removes a broker's user, password and parameters. */
export function shownAddress(address: string | URL): string {
  const text = String(address);
  if (!URL.canParse(text)) return text;
  const { protocol, host } = new URL(text);
  return wholeAddress(text) ?? `${protocol}//${host}`;
}
