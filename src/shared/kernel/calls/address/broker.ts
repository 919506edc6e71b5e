const ofCalls = ['amqp:', 'amqps:', 'nats:', 'tls:'] as const;
const protocols = [...ofCalls, 'kafka:', 'kafkas:'] as const;

export type BrokerProtocol = (typeof protocols)[number];

const parameters: Record<string, RegExp> = {
  namespace: /^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/,
  partitions: /^[1-9]\d{0,3}$/,
  retentionHours: /^[1-9]\d{0,4}$/,
  mechanism: /^[A-Z0-9-]+$/,
};

/**
 * Returns whether `text` is a broker's URL, such as `amqp://user:secret@broker?namespace=shop`. It must name one host. User and
 * password must be percent-encoded. The only parameters are `namespace` and Kafka's own.
 */
export function isBroker(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, searchParams } = new URL(text);
  const known = [...searchParams].every(([name, value]) => parameters[name]?.test(value));
  const ofOne = protocols.some((each) => each === protocol);
  return ofOne && /^[^,]+$/.test(hostname) && known && isDecodable(username + password);
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}

/** Returns whether the address is a broker that carries calls. Kafka carries events only. */
export function carriesCalls(address: string): boolean {
  return ofCalls.some((each) => address.startsWith(each));
}

/** Returns the prefix of all event and call names at a broker. It lets several systems share one broker. */
export function namespaceOf(broker: URL): string {
  return broker.searchParams.get('namespace') ?? 'kerf';
}
