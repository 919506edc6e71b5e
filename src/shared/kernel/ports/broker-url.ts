/** The parameters that a broker's URL takes besides `namespace`, each with the form of its value. */
export type BrokerParameters = Readonly<Record<string, RegExp>>;

const namespace = /^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/;

/**
 * Returns whether `text` has the form of a broker's URL, such as `amqp://user:secret@broker?namespace=shop`. It must name one host.
 * User and password must be percent-encoded. The only parameters are `namespace` and `parameters`.
 */
export function isBrokerUrl(text: string, parameters: BrokerParameters = {}): boolean {
  if (!URL.canParse(text)) return false;
  const { hostname, username, password, searchParams } = new URL(text);
  const forms = new Map(Object.entries({ ...parameters, namespace }));
  const known = [...searchParams].every(([name, value]) => forms.get(name)?.test(value));
  return /^[^,]+$/.test(hostname) && known && isDecodable(username + password);
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}

/** Returns the host of a URL as sockets take it: an address of IPv6 without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Returns the prefix of all event and call names at a broker. It lets several systems share one broker. */
export function namespaceOf(broker: URL): string {
  return broker.searchParams.get('namespace') ?? 'kerf';
}
