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
 * Whether `text` is a broker's URL, such as `amqp://user:secret@broker?namespace=shop`: one host, user and password
 * percent-encoded, no parameter but `namespace` and Kafka's own.
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

/** Whether what is at this address is a broker over which modules can be called: Kafka carries events only. */
export function carriesCalls(address: string): boolean {
  return ofCalls.some((each) => address.startsWith(each));
}

/** What all names at a broker begin with, those of events and of calls, so that several systems can share it. */
export function namespaceOf(broker: URL): string {
  return broker.searchParams.get('namespace') ?? 'kerf';
}
