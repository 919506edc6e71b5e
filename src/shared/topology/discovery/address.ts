import { StartError } from '../../errors/index.ts';

const protocols = ['http', 'https', 'grpc', 'grpcs'] as const;

export type Protocol = (typeof protocols)[number];

/**
 * Reads `http://10.0.0.7:4105` and gives it back in the one spelling by which addresses are compared. Throws a `StartError`
 * that says what to write.
 */
export function readAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !isBare(url) || !protocols.some((each) => url.protocol === `${each}:`)) {
    // A user and a password may be in it, whatever it is.
    const shown = text.replace(/^([a-z+]+:\/*)?.*@/is, '$1');
    throw new StartError(`"${shown}" is not an address; write ${example}`);
  }
  return `${url.protocol}//${url.host.toLowerCase()}`;
}

/** What to write, for messages. */
export const example = 'a protocol, host and port: http://10.0.0.7:4105';

/** Nothing but protocol, host and port; only the protocols of the web have a port of their own. */
function isBare({ protocol, host, port, pathname, search, hash, username, password }: URL): boolean {
  const beyond = pathname.replace('/', '') + search + hash + username + password;
  return host !== '' && beyond === '' && (port !== '' || protocol.startsWith('http'));
}
